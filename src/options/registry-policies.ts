// SPDX-License-Identifier: Apache-2.0
// Reads policies as NSM's programs are given them: regular expressions that match names of Rego files
// (networkservicemesh/sdk, pkg/tools/opa/policies.go).

import type { RegistryPolicy } from '../model/registry-policy.ts';

export const usualRegistryPolicies =
  'etc/nsm/opa/common/.*.rego,etc/nsm/opa/registry/.*.rego,etc/nsm/opa/client/.*.rego';

const files: ReadonlyMap<string, RegistryPolicy | undefined> = new Map<string, RegistryPolicy | undefined>([
  ['etc/nsm/opa/common/tokens_valid.rego', 'tokens_valid'],
  ['etc/nsm/opa/common/tokens_expired.rego', 'tokens_expired'],
  ['etc/nsm/opa/common/tokens_chained.rego', 'tokens_chained'],
  ['etc/nsm/opa/client/next_token_signed.rego', 'next_token_signed'],
  // Checks that a name is used only by its owner, which is always true for the one name that a forwarder registers.
  ['etc/nsm/opa/registry/client_allowed.rego', undefined],
]);

export interface PoliciesReading {
  readonly policies: readonly RegistryPolicy[];
  /** Expressions that match none of these files. */
  readonly unknown: readonly string[];
}

/** Throws a SyntaxError if an expression is not a regular expression. */
export function readRegistryPolicies(expressions: readonly string[]): PoliciesReading {
  const named = expressions.map((text) => {
    const whole = new RegExp(`^(?:${text})$`);
    return { text, matching: [...files.keys()].filter((file) => whole.test(file)) };
  });
  const policies = new Set(named.flatMap(({ matching }) => matching.flatMap((file) => files.get(file) ?? [])));
  const unknown = named.flatMap(({ text, matching }) => (matching.length > 0 ? [] : [text]));
  return { policies: [...policies], unknown };
}
