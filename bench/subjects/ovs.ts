// SPDX-License-Identifier: Apache-2.0
// The rival Open vSwitch with its userspace datapath, started with its own database and sockets.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { Absent } from '../harness/measure.ts';
import { Measured, runToEnd } from '../harness/process.ts';
import { findProgram } from '../harness/programs.ts';
import { type KernelPath, kernelPath, plug } from './kernel.ts';

function program(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Absent(`${name} is missing; scripts/setup bench unpacks Open vSwitch`);
  return path;
}

/** If it was unpacked instead of installed, its libraries and its schema are beside it. */
function places(switchProgram: string): { readonly schema: string; readonly libraries: string } {
  const root = switchProgram.includes('/.cache/') ? switchProgram.slice(0, switchProgram.indexOf('/usr/')) : '';
  const schema = `${root}/usr/share/openvswitch/vswitch.ovsschema`;
  if (!existsSync(schema)) throw new Absent(`${schema} is missing`);
  return { schema, libraries: `${root}/usr/lib/x86_64-linux-gnu` };
}

export async function startOvs(): Promise<KernelPath> {
  const [tool, database, vswitch, control] = ['ovsdb-tool', 'ovsdb-server', 'ovs-vswitchd', 'ovs-vsctl'].map(program);
  const { schema, libraries } = places(resolve(vswitch as string));
  return kernelPath('Open vSwitch', async ({ a, b, middle, own }) => {
    const home = await mkdtemp(join(tmpdir(), 'crosswire-ovs-'));
    own(() => rm(home, { recursive: true, force: true }));
    const settings = [`OVS_RUNDIR=${home}`, `OVS_LOGDIR=${home}`, `OVS_DBDIR=${home}`, `LD_LIBRARY_PATH=${libraries}`];
    const inside = (...command: readonly string[]) => middle.inside('env', ...settings, ...command);
    const socket = `unix:${home}/db.sock`;
    await runToEnd('ip', inside(tool as string, 'create', `${home}/conf.db`, schema));
    const start = (name: string, ...command: readonly string[]) => {
      const started = new Measured(name, 'ip', inside(...command));
      own(() => started.stop());
      return started;
    };
    start('ovsdb-server', database as string, `${home}/conf.db`, `--remote=p${socket}`, '--unixctl=off');
    const vsctl = (...words: readonly string[]) =>
      runToEnd('ip', inside(control as string, `--db=${socket}`, '--no-wait', ...words));
    await vsctl('--retry', 'init');
    // Experimental, but without it one stream reaches a twentieth of the rate.
    await vsctl('set', 'Open_vSwitch', '.', 'other_config:userspace-tso-enable=true');
    const daemon = start('ovs-vswitchd', vswitch as string, socket, `--unixctl=${home}/ctl.sock`);
    await plug(a, middle, 'pa');
    await plug(b, middle, 'pb');
    await vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev', 'fail_mode=standalone');
    await vsctl('add-port', 'br0', 'pa', '--', 'add-port', 'br0', 'pb');
    return { pid: daemon.pid, pause: () => daemon.pause(), resume: () => daemon.resume() };
  });
}
