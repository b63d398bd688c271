// SPDX-License-Identifier: Apache-2.0
// Opens the source of the identity of a program of a mesh: the SPIFFE Workload API, or files.

import type { Logger } from 'pino';
import type { IdentityOptions } from '../options/nsm-option-rows.ts';
import { FileSource } from '../spiffe/sources/file-source.ts';
import type { IdentitySource } from '../spiffe/identity.ts';
import { WorkloadSource } from '../spiffe/sources/workload-source.ts';

export function identitySource(options: IdentityOptions, log: Logger): IdentitySource {
  const { workloadApi: endpoint, certificateFile: certificate, keyFile: key, bundleFile: bundle } = options;
  const source = endpoint
    ? new WorkloadSource({ endpoint, log })
    : new FileSource({ files: { certificate, key, bundle }, log });
  source.start();
  return source;
}
