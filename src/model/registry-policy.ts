// SPDX-License-Identifier: Apache-2.0
// NSM's policies that the tokens in a registry's answer must satisfy.

export const registryPolicies = ['tokens_valid', 'tokens_expired', 'tokens_chained', 'next_token_signed'] as const;

export type RegistryPolicy = (typeof registryPolicies)[number];
