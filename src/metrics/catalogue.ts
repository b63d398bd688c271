// SPDX-License-Identifier: Apache-2.0
// The table of all metrics: the exposition takes names and help texts from it, and docs/metrics.md is generated from it.

export interface MetricRow {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly unit: 'bytes' | 'packets' | 'seconds' | '';
  readonly labels: readonly string[];
}

export const podLabels = [
  'network_service',
  'client_pod',
  'client_namespace',
  'endpoint_pod',
  'endpoint_namespace',
] as const;
const wireLabels = ['wire', ...podLabels];
const endLabels = ['wire', 'end', ...podLabels];
const infoLabels = [
  ...wireLabels,
  'payload',
  'mtu',
  'path',
  'client_mechanism',
  'endpoint_mechanism',
  'client_interface',
  'endpoint_interface',
  'client_socket',
  'endpoint_socket',
  'client_node',
  'client_cluster',
];

type Definition = [MetricRow['type'], help: string, unit?: MetricRow['unit'], labels?: readonly string[]];

const wireRows = {
  crosswire_wire_rx_bytes_total: ['counter', 'Bytes that entered the wire from this end', 'bytes', endLabels],
  crosswire_wire_tx_bytes_total: ['counter', 'Bytes that left the wire to this end', 'bytes', endLabels],
  crosswire_wire_rx_packets_total: ['counter', 'Frames that entered the wire from this end', 'packets', endLabels],
  crosswire_wire_tx_packets_total: ['counter', 'Frames that left the wire to this end', 'packets', endLabels],
  crosswire_wire_rx_error_packets_total: [
    'counter',
    'Frames from this end that were received with an error',
    'packets',
    endLabels,
  ],
  crosswire_wire_tx_error_packets_total: ['counter', 'Frames to this end that could not be sent', 'packets', endLabels],
  crosswire_wire_drops_total: [
    'counter',
    'Frames that entered at this end and were dropped, by reason: rx of an end = tx of the other + its drops',
    'packets',
    [...endLabels, 'reason'],
  ],
  crosswire_wire_up: ['gauge', '1 if both ends of the wire can carry frames', '', wireLabels],
  crosswire_wire_info: [
    'gauge',
    'Further properties of the wire; always 1, to be joined by the label wire',
    '',
    infoLabels,
  ],
} satisfies Record<string, Definition>;

const setupRows = {
  crosswire_wire_setup_seconds: ['histogram', 'How long it took to make a wire', 'seconds', ['path']],
} satisfies Record<string, Definition>;

const workerRows = {
  crosswire_worker_busy_seconds_total: [
    'counter',
    'Time the worker spent in rounds that moved frames',
    'seconds',
    ['worker'],
  ],
  crosswire_worker_idle_seconds_total: ['counter', 'Time the worker slept', 'seconds', ['worker']],
  crosswire_worker_wake_ups_total: ['counter', 'How often the worker was woken', '', ['worker']],
  crosswire_worker_bursts_total: ['counter', 'Bursts that held at least one frame', '', ['worker']],
  crosswire_worker_frames_total: ['counter', 'Frames that the worker received', 'packets', ['worker']],
  crosswire_worker_wires: ['gauge', 'Wires of the worker', '', ['worker']],
  crosswire_worker_hot_wires: [
    'gauge',
    'Wires that the worker polls because they had frames a moment ago',
    '',
    ['worker'],
  ],
  crosswire_worker_frames_per_burst: ['histogram', 'Frames in a burst', 'packets', ['worker']],
} satisfies Record<string, Definition>;

const forwarderRows = {
  crosswire_build_info: ['gauge', 'The running version; always 1', '', ['version']],
  crosswire_wires: ['gauge', 'Wires, by phase', '', ['phase']],
  crosswire_health_records: ['gauge', 'Open health records, by severity', '', ['severity']],
} satisfies Record<string, Definition>;

/** Only on machines whose NICs have virtual functions; the counters only if the driver of the physical function has them. */
const deviceRows = {
  crosswire_devices: ['gauge', 'Virtual functions of a NIC, by state', '', ['physical_function', 'state']],
  crosswire_device_info: [
    'gauge',
    'Which wire has the virtual function; always 1, to be joined by the label device',
    '',
    ['device', 'physical_function', 'driver', 'wire', 'end'],
  ],
  crosswire_device_rx_bytes_total: ['counter', 'Bytes that came from the virtual function', 'bytes', ['device']],
  crosswire_device_tx_bytes_total: ['counter', 'Bytes that went to the virtual function', 'bytes', ['device']],
  crosswire_device_rx_packets_total: ['counter', 'Frames that came from the virtual function', 'packets', ['device']],
  crosswire_device_tx_packets_total: ['counter', 'Frames that went to the virtual function', 'packets', ['device']],
  crosswire_device_rx_drops_total: [
    'counter',
    'Frames from the virtual function that its NIC dropped',
    'packets',
    ['device'],
  ],
  crosswire_device_tx_drops_total: [
    'counter',
    'Frames to the virtual function that its NIC dropped',
    'packets',
    ['device'],
  ],
} satisfies Record<string, Definition>;

/** Only if the control group's cpu.stat can be read. */
const throttlingRows = {
  crosswire_cpu_periods_total: ['counter', 'Periods of the CPU quota in which the forwarder ran'],
  crosswire_cpu_throttled_periods_total: [
    'counter',
    'Periods in which the CPU quota stopped every thread of the forwarder',
  ],
  crosswire_cpu_throttled_seconds_total: ['counter', 'Time for which the CPU quota stopped the forwarder', 'seconds'],
} satisfies Record<string, Definition>;

/** Only if the forwarder is part of a mesh. */
const meshRows = {
  crosswire_nsm_calls_total: [
    'counter',
    'Requests (refreshes among them) and Closes that were answered, by gRPC status',
    '',
    ['call', 'outcome'],
  ],
  crosswire_nsm_call_seconds: ['histogram', 'How long it took to answer them', 'seconds', ['call']],
  crosswire_nsm_connections: ['gauge', 'Established connections'],
  crosswire_nsm_registrations_total: [
    'counter',
    'Attempts to register at the manager, and to stay registered, by outcome',
    '',
    ['outcome'],
  ],
  crosswire_nsm_registered: ['gauge', '1 while the manager knows this forwarder'],
  crosswire_nsm_registration_expiry_timestamp_seconds: [
    'gauge',
    'When the registration expires unless it is renewed, as Unix time; 0 before the first registration',
    'seconds',
  ],
} satisfies Record<string, Definition>;

function rows<Name extends string>(definitions: Record<Name, readonly unknown[]>): Record<Name, MetricRow> {
  const entries = Object.entries(definitions) as [Name, Definition][];
  return Object.fromEntries(
    entries.map(([name, [type, help, unit = '', labels = []]]) => [name, { name, type, help, unit, labels }]),
  ) as unknown as Record<Name, MetricRow>;
}

export const wireMetrics = rows(wireRows);
export const setupMetrics = rows(setupRows);
export const workerMetrics = rows(workerRows);
export const forwarderMetrics = rows(forwarderRows);
export const deviceMetrics = rows(deviceRows);
export const throttlingMetrics = rows(throttlingRows);
export const meshMetrics = rows(meshRows);

/** `--metrics-compat nsm2019`: names, type and labels as in the NSM and SMI integration of December 2019. */
export const nsm2019Metrics: readonly MetricRow[] = [
  'rx_bytes',
  'tx_bytes',
  'rx_packets',
  'tx_packets',
  'rx_error_packets',
  'tx_error_packets',
].map((name) => ({
  name,
  type: 'gauge',
  help: `${name} transmissed`, // spelled as in 2019
  unit: name.endsWith('bytes') ? 'bytes' : 'packets',
  labels: ['src_pod_name', 'src_pod_namespace', 'dst_pod_name', 'dst_pod_namespace'],
}));

/** `--metrics-compat nsm`: names, type and labels as in NSM's own forwarder (sdk-vpp, pkg/networkservice/stats). `server` is
 *  the side towards the caller that requested the connection, `client` the side towards the next hop; rx are frames that
 *  came from that side. */
export const nsmMetrics: readonly MetricRow[] = (['client', 'server'] as const).flatMap((side) =>
  (['rx_bytes', 'tx_bytes', 'rx_packets', 'tx_packets', 'drops'] as const).map((counter) => ({
    name: `${side}_${counter}_total`,
    type: 'counter' as const,
    help: `${counter} of the ${side} side of the connection`,
    unit: counter.endsWith('bytes') ? ('bytes' as const) : ('packets' as const),
    labels: ['connection_id', 'network_service', 'nsc', 'nsc_interface', 'nse_interface'],
  })),
);
