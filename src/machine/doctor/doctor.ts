// SPDX-License-Identifier: Apache-2.0
// `crosswire doctor`: checks what the forwarder needs from this machine and says how to fix what is missing. It changes
// nothing, and it works without the addon: a missing addon is a finding.

import type { Dataplane, MachineProbe } from '../../dataplane/types.ts';
import type { PhysicalFunctionSettings } from '../../model/device-status.ts';
import { CrosswireError } from '../../model/error.ts';
import type { MachineFinding, MachineReport } from '../../model/machine.ts';
import { readCpuQuota } from '../cgroup.ts';
import { capabilityFindings, kernelFindings } from './kernel.ts';
import { cpuFindings } from './cpu.ts';
import { meshFindings } from './mesh.ts';
import { sriovFindings } from './sriov.ts';
import { surroundingFindings } from './surroundings.ts';
import { vlanFinding } from './vlan.ts';
import type { Underlay } from '../underlay.ts';

export interface DoctorSettings {
  /** Loads the addon; rejects if it cannot be loaded. */
  readonly loadDataplane: () => Promise<Pick<Dataplane, 'probe'>>;
  /** The interface and address of tunnels to other nodes; undefined if there is none. */
  readonly findUnderlay: () => Promise<Underlay | undefined>;
  /** The physical functions of the SR-IOV file; undefined without a file. Rejects with the errors of the file. */
  readonly readSriovFile?: () => Promise<readonly PhysicalFunctionSettings[] | undefined>;
  /** '/' except in tests. */
  readonly root?: string;
}

export async function examineMachine({
  loadDataplane,
  findUnderlay,
  readSriovFile = async () => undefined,
  root = '/',
}: DoctorSettings): Promise<MachineReport> {
  const { probe, finding } = await probeAddon(loadDataplane);
  const findings = [
    finding,
    ...(await capabilityFindings(root, probe)),
    ...(await kernelFindings(root, probe)),
    ...cpuFindings(await readCpuQuota(root)),
    ...(await surroundingFindings(root)),
    await vlanFinding(root, probe?.kernel),
    ...(await sriovFindings(root, probe?.kernel, readSriovFile)),
    ...(await meshFindings(root, probe, await findUnderlay().catch(() => undefined), await shares(readSriovFile))),
  ];
  return { fit: findings.every(({ state }) => state !== 'missing'), findings };
}

async function shares(readSriovFile: NonNullable<DoctorSettings['readSriovFile']>): Promise<boolean> {
  const allowed = await readSriovFile().catch(() => undefined);
  return allowed !== undefined && allowed.length > 0;
}

async function probeAddon(
  loadDataplane: DoctorSettings['loadDataplane'],
): Promise<{ probe?: MachineProbe; finding: MachineFinding }> {
  try {
    const probe = await (await loadDataplane()).probe();
    return {
      probe,
      finding: { check: 'addon', state: 'ok', found: `loaded, ${process.arch}, Node ${process.version}` },
    };
  } catch (error) {
    const { code, reason, hint } =
      error instanceof CrosswireError
        ? error
        : { code: 'INTERNAL', reason: error instanceof Error ? error.message : String(error), hint: undefined };
    return {
      finding: {
        check: 'addon',
        state: 'missing',
        found: `${code}: ${reason}`,
        advice: hint ?? 'build it: npm run build',
      },
    };
  }
}
