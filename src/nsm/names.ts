// SPDX-License-Identifier: Apache-2.0
// NSM's vocabulary, as its peers spell it (networkservicemesh/api, pkg/api/networkservice).

export const mechanismClass = { local: 'LOCAL', remote: 'REMOTE' } as const;

/** The mechanism types that are used outside their own files in mechanisms/. */
export const mechanismType = {
  kernel: 'KERNEL',
  memif: 'MEMIF',
  vfio: 'VFIO',
  noop: 'NOOP',
  vlan: 'VLAN',
} as const;

export const parameter = {
  inodeUrl: 'inodeURL',
  interfaceName: 'name',
  socketFile: 'socketfile',
  sourceAddress: 'src_ip',
  sourcePort: 'src_port',
  sourcePublicKey: 'src_public_key',
  originalSourceAddress: 'orig_src_ip',
  destinationAddress: 'dst_ip',
  destinationPort: 'dst_port',
  destinationPublicKey: 'dst_public_key',
  originalDestinationAddress: 'orig_dst_ip',
  mtu: 'MTU',
  vni: 'vni',
  vlanId: 'vlan-id',
  pciAddress: 'pciAddress',
  tokenId: 'tokenID',
  cgroupDirectory: 'cgroupDir',
  iommuGroup: 'iommuGroup',
  vfioMajor: 'vfioMajor',
  vfioMinor: 'vfioMinor',
  iptables: 'IPTables4NatTemplate',
  routeLocalNet: 'routeLocalNet',
  deviceMajor: 'deviceMajor',
  deviceMinor: 'deviceMinor',
} as const;

export const payload = { ethernet: 'ETHERNET', ip: 'IP' } as const;

/** Well-known labels of a connection. */
export const label = { pod: 'podName', via: 'via' } as const;
