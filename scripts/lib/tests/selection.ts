// SPDX-License-Identifier: Apache-2.0
// The command line of scripts/test, read into the stages that it asks for.

import { existsSync } from 'node:fs';
import { matching } from './patterns.ts';
import type { Stage, Tier } from './stage.ts';
import { stages } from './stages.ts';
import { UsageError } from './usage-error.ts';

export interface Selection {
  readonly stages: readonly Stage[];
  readonly live: boolean;
}

export function select(args: readonly string[]): Selection {
  const [first, ...rest] = args;
  if (first === undefined) return tier('standard');
  if (first === '--all' && rest.length === 0) return tier('all');
  if (first === '--only') return { stages: rest.flatMap(ofPart), live: false };
  if (first === '--quick') {
    if (!existsSync('build/Release/crosswire.node')) throw new UsageError('there is no build: run npm run build first');
    return rest.length === 0 ? tier('quick') : { stages: matching(rest), live: true };
  }
  throw new UsageError(`unknown argument '${first}'; use --all, --only PART… or --quick [PATTERN…]`);
}

function tier(wanted: Tier): Selection {
  return { stages: stages.filter(({ tiers }) => tiers.includes(wanted)), live: false };
}

/** A part as the largest tier runs it. */
function ofPart(part: string): Stage[] {
  const found = stages.filter(
    (stage) => stage.part === part && (stage.tiers.includes('all') || stage.tiers.length === 0),
  );
  if (found.length > 0) return found;
  const parts = [...new Set(stages.map((stage) => stage.part))];
  throw new UsageError(`unknown part '${part}'; use ${parts.join(', ')}`);
}
