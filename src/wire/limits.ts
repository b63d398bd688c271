// SPDX-License-Identifier: Apache-2.0
// Every default and every bound of a wire file, in one place.

export const apiVersion = 'crosswire.dev/v1alpha1';
export const kind = 'Wire';

export const defaults = {
  payload: 'ethernet',
  vxlan: { port: 4789 }, // RFC 7348, section 8
  wireguard: { port: 51_820 }, // what wg(8) shows, and NSM's forwarders use
  memif: { id: 0, rings: 1, ringSize: 1024, bufferSize: 2048, allowUnsealed: false },
} as const;

export const limits = {
  nameLength: 63, // the ownership mark holds node and wire name: IFALIASZ is 256
  textLength: 253, // of a pod, namespace or service, as Kubernetes has it
  labels: 64,
  mtu: { least: 68, leastWithIPv6: 1280, most: 65_521 }, // RFC 791, RFC 8200, 65535 less an Ethernet header
  interfaceLength: 15, // IFNAMSIZ - 1
  addresses: 64, // of one interface; likewise its routes and neighbours
  socketLength: 107, // sockaddr_un.sun_path less its NUL
  port: 65_534, // of a routing rule: include/net/fib_rules.h, fib_rule_port_range_valid
  pid: 4_194_304, // PID_MAX_LIMIT
  memifId: 0xffff_ffff,
  secretLength: 23, // 24 bytes less the NUL that every implementation sends
  rings: 64,
  ringSize: { least: 2, most: 16_384 }, // log2 at most 14: VPP and DPDK lay memory out wrongly beyond
  bufferSize: { least: 64, most: 65_535 },
  vni: 0xff_ffff, // RFC 7348, section 5
  rate: 0xffff_ffff, // Mbit/s: struct ifla_vf_rate of linux/if_link.h
  // 65535 less outer IP, UDP, and: VXLAN and an Ethernet header (net/vxlan.h); WireGuard's header and tag
  tunnelMtu: { vxlan: { 4: 65_485, 6: 65_465 }, wireguard: { 4: 65_475, 6: 65_455 } },
  vlan: 4094, // IEEE 802.1Q: 4095 is reserved
  clientBuffers: 65_536, // VPP and DPDK number all buffers of a client with 16 bits
} as const;
