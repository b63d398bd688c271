// SPDX-License-Identifier: Apache-2.0
// Configuration of SPIRE's server and agent (its doc/spire_server.md and doc/spire_agent.md).

import { patience } from '../../support/shell.ts';

export interface SpireSettings {
  readonly directory: string;
  readonly socket: string;
  readonly bundle: string;
}

/** Address in the namespace of both. */
const port = 8081;

/** A new entry is known everywhere after two of these intervals, 5 s each by default. */
const interval = `${200 * patience}ms`;

export function serverSettings({ directory, socket }: SpireSettings): string {
  return `
server {
  bind_address = "127.0.0.1"
  bind_port = ${port}
  socket_path = "${socket}"
  trust_domain = "test.nsm"
  data_dir = "${directory}"
  log_level = "DEBUG"
  experimental { cache_reload_interval = "${interval}" }
}
plugins {
  DataStore "sql" {
    plugin_data { database_type = "sqlite3" connection_string = "${directory}/server.sqlite3" }
  }
  NodeAttestor "join_token" { plugin_data {} }
  KeyManager "memory" { plugin_data {} }
}
`;
}

/** The agent's key is on disk: a token lets it join once, and a restarted agent is the same agent. */
export function agentSettings({ directory, socket, bundle }: SpireSettings): string {
  return `
agent {
  data_dir = "${directory}"
  server_address = "127.0.0.1"
  server_port = ${port}
  socket_path = "${socket}"
  trust_domain = "test.nsm"
  trust_bundle_path = "${bundle}"
  log_level = "DEBUG"
  experimental { sync_interval = "${interval}" }
}
plugins {
  NodeAttestor "join_token" { plugin_data {} }
  KeyManager "disk" { plugin_data { directory = "${directory}" } }
  WorkloadAttestor "unix" { plugin_data {} }
}
`;
}
