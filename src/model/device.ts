// SPDX-License-Identifier: Apache-2.0
// A virtual function of a NIC as an end of a wire asks for it. Plain data, validated by config/.

/** What the physical function is told of the virtual one. What is absent stays as it is. */
export interface DeviceSettings {
  readonly vlan?: number; // 0 to 4094; 0: untagged
  readonly trust?: boolean;
  readonly spoofCheck?: boolean;
  readonly maxRate?: number; // Mbit/s
}

/** By its address, `0000:01:10.0`, or any free one of a resource, `serviceDomain/capability`. */
export type DeviceChoice = { readonly pci: string } | { readonly resource: string };

export type DeviceRequest = DeviceChoice & DeviceSettings;

/** `0000:01:10.0`: domain, bus, device and function; the domain may be left out when written. */
export function canonicalPci(text: string): string | undefined {
  const [, domain = '0000', rest] =
    /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[01][0-9a-f]\.[0-7])$/.exec(text.toLowerCase()) ?? [];
  return rest && `${domain}:${rest}`;
}
