// SPDX-License-Identifier: Apache-2.0
// Checks of one value: the reason why it is wrong, or undefined. Every value is checked before any system call.

import { canonicalPci } from '../../model/device.ts';
import { networkAddress, parseAddress, parseNetwork, unusable } from './addresses.ts';
import { limits } from './limits.ts';

export interface Complaint {
  readonly reason: string;
  readonly hint?: string;
}
export type Check = (value: string) => Complaint | undefined;

const bytes = (text: string): number => Buffer.byteLength(text);
const quoted = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);

/** A DNS label: it becomes a file name and part of ownership marks. */
export const wireName: Check = (text) => {
  if (bytes(text) > limits.nameLength)
    return { reason: `${quoted(text)} has ${bytes(text)} bytes, more than ${limits.nameLength}` };
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text)) return undefined;
  return {
    reason: `${quoted(text)} is no name`,
    hint: "use a-z, 0-9 and '-', with a letter or digit at both ends",
  };
};

/** For pods, namespaces, services and labels: they become metric labels and log lines. */
export const plainText: Check = (text) => {
  if (text === '') return { reason: 'is empty' };
  if (text.length > limits.textLength)
    return { reason: `has ${text.length} characters, more than ${limits.textLength}` };
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return { reason: `${quoted(text)} holds a control character` };
  return undefined;
};

/** dev_valid_name() of the kernel's net/core/dev.c, and names with another meaning in /proc/sys/net. */
export const interfaceName: Check = (text) => {
  const length = bytes(text);
  if (length === 0) return { reason: 'is empty' };
  if (length > limits.interfaceLength)
    return { reason: `${quoted(text)} has ${length} bytes; the kernel takes at most ${limits.interfaceLength}` };
  if (text === '.' || text === '..') return { reason: `${quoted(text)} is a directory, not an interface name` };
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const bad = /[/:%\s\u0000-\u001f\u007f]/.exec(text);
  if (bad) return { reason: `${quoted(text)} holds ${quoted(bad[0])}, which an interface name cannot` };
  if (text === 'all' || text === 'default')
    return { reason: `${quoted(text)} is reserved: the kernel keeps settings of every interface under it` };
  return undefined;
};

export const macAddress: Check = (text) => {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text))
    return {
      reason: `${quoted(text)} is no MAC address`,
      hint: 'six pairs of hexadecimal digits, like 02:00:5e:10:00:01',
    };
  if (text === '00:00:00:00:00:00') return { reason: 'is the all-zero MAC address' };
  if (Number.parseInt(text.slice(0, 2), 16) & 1)
    return { reason: `${quoted(text)} is a multicast MAC address`, hint: 'the first pair must be even' };
  return undefined;
};

export const interfaceAddress: Check = (text) => {
  const network = parseNetwork(text);
  if (network === undefined)
    return { reason: `${quoted(text)} is no address with prefix length`, hint: cidrHint(text) };
  const why = unusable(network.address);
  return why ? { reason: `${quoted(text)} ${why}` } : undefined;
};

export const destination: Check = (text) => {
  const network = parseNetwork(text);
  if (network === undefined) return { reason: `${quoted(text)} is no network`, hint: cidrHint(text) };
  const whole = networkAddress(network);
  if (whole === network.text) return undefined;
  return { reason: `${quoted(text)} has bits set behind its prefix`, hint: `the network is ${whole}` };
};

/** One port, or a range of them, as routing rules take them. */
export const ports: Check = (text) => {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (first === undefined)
    return { reason: `${quoted(text)} is no port`, hint: 'a number like 80, or a range like 80-90' };
  for (const port of [first, last])
    if (Number(port) < 1 || Number(port) > limits.port)
      return { reason: `port ${port} is outside 1 to ${limits.port}, what the kernel takes in a routing rule` };
  return Number(first) > Number(last) ? { reason: `the range ${quoted(text)} ends before it begins` } : undefined;
};

export const ipAddress: Check = (text) => {
  const address = parseAddress(text);
  if (address === undefined)
    return {
      reason: `${quoted(text)} is no IP address`,
      ...(text.includes('/') ? { hint: 'leave out the prefix length' } : {}),
    };
  const why = unusable(address);
  return why ? { reason: `${quoted(text)} ${why}` } : undefined;
};

/** A link-local address needs an interface, which a tunnel does not name. */
export const tunnelAddress: Check = (text) => {
  const complaint = ipAddress(text);
  if (complaint || parseAddress(text)?.family !== 6 || !/^fe[89ab]/i.test(text)) return complaint;
  return { reason: `${quoted(text)} is a link-local address`, hint: 'use one that is valid beyond the link' };
};

export const pciAddress: Check = (text) =>
  canonicalPci(text)
    ? undefined
    : { reason: `${quoted(text)} is no PCI address`, hint: 'domain:bus:device.function, like 0000:01:10.0' };

/** The names of an SR-IOV file: they become extended resources of Kubernetes. */
export const resourceName: Check = (text) => {
  if (text.length > limits.textLength)
    return { reason: `has ${text.length} characters, more than ${limits.textLength}` };
  if (/^[A-Za-z0-9][\w.-]*\/[\w.-]+$/.test(text)) return undefined;
  return { reason: `${quoted(text)} is no resource`, hint: 'serviceDomain/capability, like worker.domain/10G' };
};

export const absolutePath: Check = (text) => {
  if (!text.startsWith('/')) return { reason: `${quoted(text)} is no absolute path`, hint: 'like /run/netns/web' };
  if (text.includes('\0')) return { reason: 'holds a NUL byte' };
  return bytes(text) > 4095 ? { reason: 'is longer than 4095 bytes' } : undefined;
};

function cidrHint(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) return 'like 10.9.0.1/24 or fd09::1/64';
  return `append the prefix length, like ${text}/${address.family === 4 ? 24 : 64}`;
}
