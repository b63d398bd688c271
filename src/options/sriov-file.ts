// SPDX-License-Identifier: Apache-2.0
// Parses NSM's SR-IOV file, which lists the physical functions that may be used, with their drivers and resource names. Every
// error has line and column.

import { LineCounter, parseDocument } from 'yaml';
import { canonicalPci } from '../model/device.ts';
import type { PhysicalFunctionSettings } from '../model/device-status.ts';
import { CrosswireError } from '../model/error.ts';
import { isMapping, type KeyPath } from '../wire/values/problems.ts';
import { positionOf } from '../wire/yaml-position.ts';

const operation = 'reading the SR-IOV file';
const most = { bytes: 1024 * 1024, functions: 256, names: 64, nameLength: 63 } as const;
const keys = ['pfKernelDriver', 'vfKernelDriver', 'capabilities', 'serviceDomains', 'virtualFunctions'];

/** Throws an AggregateError of CrosswireErrors. A file without physical functions is valid: no devices are lent then. */
export function parseSriovFile(text: string, fileName: string): readonly PhysicalFunctionSettings[] {
  const reader = new Reader(text, fileName);
  const functions = reader.read();
  if (reader.errors.length > 0) throw new AggregateError(reader.errors, 'the SR-IOV file cannot be used');
  return functions;
}

class Reader {
  readonly errors: CrosswireError[] = [];
  readonly #lines = new LineCounter();
  readonly #document;
  readonly #fileName: string;
  readonly #length: number;

  constructor(text: string, fileName: string) {
    this.#fileName = fileName;
    this.#length = text.length;
    const source = text.length > most.bytes ? '' : text;
    this.#document = parseDocument(source, { lineCounter: this.#lines, prettyErrors: false });
  }

  read(): PhysicalFunctionSettings[] {
    if (this.#length > most.bytes) return this.#refuse([], `is longer than ${most.bytes} bytes`);
    const [broken] = [...this.#document.errors, ...this.#document.warnings];
    if (broken) return this.#broken(broken.message, broken.pos[0]);
    let content: unknown;
    try {
      content = this.#document.toJS(); // bounded: the yaml package refuses more than 100 alias uses
    } catch (error) {
      return this.#broken((error as Error).message, 0);
    }
    if (content === null || content === undefined) return [];
    if (!isMapping(content)) return this.#refuse([], "must be a mapping with the key 'physicalFunctions'");
    this.#unknown([], content, ['physicalFunctions']);
    const listed = content['physicalFunctions'] ?? {};
    if (!isMapping(listed)) return this.#refuse(['physicalFunctions'], 'must be a mapping by PCI address');
    if (Object.keys(listed).length > most.functions)
      return this.#refuse(['physicalFunctions'], `has more than ${most.functions} entries`);
    const functions = Object.entries(listed).flatMap(([address, value]) => this.#function(address, value));
    for (const [at, { pci }] of functions.entries())
      if (functions.findIndex((one) => one.pci === pci) !== at)
        this.#refuse(['physicalFunctions'], `lists ${pci} twice, with and without its domain`);
    return functions;
  }

  #function(address: string, value: unknown): PhysicalFunctionSettings[] {
    const path = ['physicalFunctions', address];
    const pci = canonicalPci(address);
    if (pci === undefined) return this.#refuse(path, `'${address}' is no PCI address`, 'like 0000:01:00.0 or 01:00.0');
    if (!isMapping(value)) return this.#refuse(path, 'must be a mapping');
    this.#unknown(path, value, keys);
    return [
      {
        pci,
        pfKernelDriver: this.#driver([...path, 'pfKernelDriver'], value['pfKernelDriver']),
        vfKernelDriver: this.#driver([...path, 'vfKernelDriver'], value['vfKernelDriver']),
        capabilities: this.#names([...path, 'capabilities'], value['capabilities']),
        serviceDomains: this.#names([...path, 'serviceDomains'], value['serviceDomains']),
      },
    ];
  }

  /** The name is checked strictly because it becomes part of paths in /sys. */
  #driver(path: KeyPath, value: unknown): string {
    if (typeof value === 'string' && /^[A-Za-z0-9_][A-Za-z0-9_-]{0,62}$/.test(value)) return value;
    this.#refuse(path, 'must be the name of a kernel driver', 'like igb');
    return '';
  }

  /** The names are checked because they become names of extended resources in Kubernetes. */
  #names(path: KeyPath, value: unknown): string[] {
    const isName = (name: unknown) =>
      typeof name === 'string' && name.length <= most.nameLength && /^[A-Za-z0-9][\w.-]*$/.test(name);
    if (Array.isArray(value) && value.length > 0 && value.length <= most.names && value.every(isName))
      return [...new Set(value as string[])];
    const reason = `must be a list of 1 to ${most.names} names of letters, digits, '-', '_' and '.'`;
    return this.#refuse(path, reason);
  }

  #unknown(path: KeyPath, value: object, known: readonly string[]): void {
    for (const key of Object.keys(value))
      if (!known.includes(key))
        this.#add('KEY_UNKNOWN', [...path, key], `the key is unknown`, `known here: ${known.join(', ')}`);
  }

  #refuse(path: KeyPath, reason: string, hint?: string): never[] {
    this.#add('VALUE_INVALID', path, reason, hint);
    return [];
  }

  #add(code: string, path: KeyPath, reason: string, hint?: string): void {
    const { line, column } = positionOf(this.#document, this.#lines, path, 'key');
    const subject = `${this.#fileName}:${line}:${column}${path.length > 0 ? `, ${path.join('.')}` : ''}`;
    this.errors.push(new CrosswireError({ code, operation, subject, reason, hint }));
  }

  #broken(message: string, offset: number): never[] {
    const { line, col } = this.#lines.linePos(offset);
    const subject = `${this.#fileName}:${line}:${col}`;
    const reason = message.replace(/\s+/g, ' ');
    this.errors.push(new CrosswireError({ code: 'YAML_BROKEN', operation, subject, reason }));
    return [];
  }
}
