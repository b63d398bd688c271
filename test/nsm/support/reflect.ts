// SPDX-License-Identifier: Apache-2.0
// @peculiar/x509 loads tsyringe, which wants the package reflect-metadata to be there before it. Nothing that tests use
// of it reads metadata, so a function that finds none does. Import before @peculiar/x509.

if (!('getMetadata' in Reflect))
  Object.assign(Reflect, { getMetadata: () => undefined, getOwnMetadata: () => undefined });
