// SPDX-License-Identifier: Apache-2.0
// The bounds of a wire file that hold for every mechanism. Those of one mechanism are in its file.

export const apiVersion = 'crosswire.dev/v1alpha1';
export const kind = 'Wire';

export const limits = {
  nameLength: 63, // the ownership mark holds node and wire name: IFALIASZ is 256
  textLength: 253, // of a pod, namespace or service, as Kubernetes has it
  mtu: { least: 68, leastWithIPv6: 1280, most: 65_521 }, // RFC 791, RFC 8200, 65535 less an Ethernet header
  interfaceLength: 15, // IFNAMSIZ - 1
  addresses: 64, // of one interface; likewise its routes and neighbours
  port: 65_534, // of a routing rule: include/net/fib_rules.h, fib_rule_port_range_valid
  vlan: 4094, // IEEE 802.1Q: 4095 is reserved
} as const;
