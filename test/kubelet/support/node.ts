// SPDX-License-Identifier: Apache-2.0
// The part of a Kubernetes node that a device plugin sees: a real kubelet with a real containerd, without an API server.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Background, eventually } from '../../support/shell.ts';

const programs = resolve('.cache/kubelet/usr/bin');
const busybox = resolve('.cache/kubelet/bin/busybox');
const image = 'localhost/pod:1';

export class KubernetesNode {
  readonly #folder: string;
  readonly #process: Background;
  /** The node's /var/lib/kubelet, as seen from outside. */
  readonly directory: string;

  private constructor(folder: string, process: Background, pid: string) {
    this.#folder = folder;
    this.#process = process;
    this.directory = `/proc/${pid}/root/var/lib/kubelet`;
  }

  static async start(): Promise<KubernetesNode> {
    const folder = mkdtempSync(join(tmpdir(), 'cwk-'));
    for (const name of ['manifests', 'out']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'containerd.toml'), containerdSettings(folder));
    writeFileSync(join(folder, 'kubelet.yaml'), JSON.stringify(kubeletSettings(folder)));
    makeImage(folder);
    const script = resolve(import.meta.dirname, 'start-node');
    const namespaces = ['--mount', '--net', '--pid', '--fork', '--mount-proc', '--kill-child'];
    const process = new Background('unshare', [...namespaces, script, folder, programs]);
    const { pid } = process.child;
    const child = await eventually('the namespaces are there', async () =>
      readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim(),
    );
    const node = new KubernetesNode(folder, process, child);
    await eventually('kubelet takes plugins', async () => existsSync(node.#socket), 120_000);
    return node;
  }

  /** Runs a pod with `count` devices of a resource; its environment can be read once it runs. */
  run(name: string, resource: string, count: number): void {
    const amount = { [resource]: count };
    const container = {
      name: 'c',
      image,
      imagePullPolicy: 'Never',
      // From /proc, because a shell does not export a variable of that name.
      command: ['/bin/sh', '-c', `cat /proc/1/environ > /out/${name}; exec sleep 100000`],
      resources: { limits: amount, requests: amount },
      volumeMounts: [{ name: 'out', mountPath: '/out' }],
    };
    const volumes = [{ name: 'out', hostPath: { path: join(this.#folder, 'out') } }];
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { hostNetwork: true, terminationGracePeriodSeconds: 1, containers: [container], volumes },
    };
    writeFileSync(join(this.#folder, 'manifests', `${name}.json`), JSON.stringify(pod));
  }

  remove(name: string): void {
    rmSync(join(this.#folder, 'manifests', `${name}.json`));
  }

  async environment(name: string): Promise<Map<string, string>> {
    const file = join(this.#folder, 'out', name);
    const running = eventually(`the pod ${name} runs`, async () => readFileSync(file, 'utf8'), 60_000);
    const text = await running.catch((cause: unknown) => {
      throw new Error(`${String(cause)}\n${this.#logOf(name)}`);
    });
    const entries = text.split('\0').filter((entry) => entry.includes('='));
    return new Map(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
  }

  /** Starts kubelet again, with the same pods. */
  restartKubelet(): void {
    writeFileSync(join(this.#folder, 'restart'), '');
  }

  #logOf(pod: string): string {
    const lines = readFileSync(join(this.#folder, 'kubelet.log'), 'utf8').split('\n');
    return lines
      .filter((line) => line.includes(pod))
      .slice(-10)
      .join('\n');
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGKILL'); // unshare(1) waits for its child whatever else it is told
    const groups = ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', '*/kubepods*', '-exec', 'rmdir', '{}', ';'];
    await eventually('its control groups are gone', async () => {
      execFileSync('find', groups, { stdio: 'ignore' });
      return true;
    });
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #socket(): string {
    return join(this.directory, 'device-plugins/kubelet.sock');
  }
}

function containerdSettings(folder: string): string {
  return `version = 2
root = "${folder}/containerd"
state = "${folder}/containerd-state"
[grpc]
  address = "${folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${image}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
`;
}

function kubeletSettings(folder: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    staticPodPath: join(folder, 'manifests'),
    fileCheckFrequency: '1s',
    podLogsDir: join(folder, 'logs'),
    volumePluginDir: join(folder, 'plugins'),
    cgroupDriver: 'cgroupfs',
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    enableServer: false,
    failSwapOn: false,
    failCgroupV1: false,
    makeIPTablesUtilChains: false,
    localStorageCapacityIsolation: false,
  };
}

/** Makes an image with busybox only, in the format of `docker save`. */
function makeImage(folder: string): void {
  const root = join(folder, 'root');
  for (const name of ['bin', 'out']) mkdirSync(join(root, name), { recursive: true });
  cpSync(busybox, join(root, 'bin/busybox'));
  for (const name of ['sh', 'cat', 'sleep']) symlinkSync('busybox', join(root, 'bin', name));
  const tar = (file: string, where: string, ...names: string[]) =>
    execFileSync('tar', ['-cf', join(folder, file), '-C', where, ...names]);
  tar('layer.tar', root, '.');
  const [digest] = execFileSync('sha256sum', [join(folder, 'layer.tar')], { encoding: 'utf8' }).split(' ');
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/bin/sleep', '100000'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [image], Layers: ['layer.tar'] }];
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  tar('image.tar', folder, 'manifest.json', 'config.json', 'layer.tar');
}
