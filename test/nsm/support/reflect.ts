// SPDX-License-Identifier: Apache-2.0
// @peculiar/x509 loads tsyringe, which requires the package reflect-metadata. Nothing that the tests use reads metadata, so
// functions that find none suffice. Import before @peculiar/x509.

if (!('getMetadata' in Reflect))
  Object.assign(Reflect, { getMetadata: () => undefined, getOwnMetadata: () => undefined });
