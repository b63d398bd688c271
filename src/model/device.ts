// SPDX-License-Identifier: Apache-2.0
// The request of an end for a virtual function of a NIC. Plain data, validated by src/wire.

/** Settings of a virtual function that are made through its physical function. What is absent stays as it is. */
export interface DeviceSettings {
  readonly vlan?: number; // 0 to 4094; 0: untagged
  readonly trust?: boolean;
  readonly spoofCheck?: boolean;
  readonly maxRate?: number; // Mbit/s
}

/** One device by its PCI address, `0000:01:10.0`, or any free device of a resource, `serviceDomain/capability`. */
export type DeviceChoice = { readonly pci: string } | { readonly resource: string };

export type DeviceRequest = DeviceChoice & DeviceSettings;

/** Adds the domain 0000 if it is missing: `01:10.0` → `0000:01:10.0`. Undefined if the text is not a PCI address. */
export function canonicalPci(text: string): string | undefined {
  const [, domain = '0000', rest] =
    /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[01][0-9a-f]\.[0-7])$/.exec(text.toLowerCase()) ?? [];
  return rest && `${domain}:${rest}`;
}
