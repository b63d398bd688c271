// SPDX-License-Identifier: Apache-2.0
// SPIFFE IDs (spiffe.io, "The SPIFFE Identity and Verifiable Identity Document", section 2).

export interface SpiffeId {
  readonly trustDomain: string;
  /** With its leading slash. */
  readonly path: string;
}

const scheme = 'spiffe://';
const longest = 2048;
const longestTrustDomain = 255;

/** A workload's ID, which has a path (X509-SVID, section 3.1); or what is wrong with the text, in words. */
export function parseSpiffeId(text: string): SpiffeId | string {
  if (text.length > longest) return `it is longer than ${longest} bytes`;
  if (!text.startsWith(scheme)) return `it does not start with ${scheme}`;
  const slash = text.indexOf('/', scheme.length);
  const trustDomain = text.slice(scheme.length, slash < 0 ? undefined : slash);
  if (!isTrustDomain(trustDomain)) return 'its trust domain is not one';
  if (slash < 0) return 'it has no path';
  const path = text.slice(slash);
  const wrong = path
    .slice(1)
    .split('/')
    .find((segment) => !isPathSegment(segment));
  return wrong === undefined ? { trustDomain, path } : `the path segment ${JSON.stringify(wrong)} is not allowed`;
}

export function isTrustDomain(text: string): boolean {
  return text.length <= longestTrustDomain && /^[a-z0-9._-]+$/.test(text);
}

function isPathSegment(text: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(text) && text !== '.' && text !== '..';
}
