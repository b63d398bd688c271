// SPDX-License-Identifier: Apache-2.0
// NSM's policies over the tokens in the answer of a registry.

export const registryPolicies = ['tokens_valid', 'tokens_expired', 'tokens_chained', 'next_token_signed'] as const;

export type RegistryPolicy = (typeof registryPolicies)[number];
