// SPDX-License-Identifier: Apache-2.0
// Every error code and what it means. docs/errors.md is generated from this table. scripts/generate-docs.ts --check fails for
// codes that are missing here or that nothing uses.

type Catalogue = Readonly<Record<string, string>>;

/** Errors in files, options and command lines. Nothing was changed. */
export const inputErrors = {
  YAML_BROKEN: 'The file is not YAML from this line on, gives a key twice, or uses a tag or too many aliases.',
  KEY_UNKNOWN: 'The key is unknown here; the message names the known keys, or the nearest one.',
  KEY_MISSING: 'A required key is missing.',
  VALUE_INVALID: 'A value has the wrong type or is out of bounds, or two values contradict each other.',
  MECHANISM_COUNT: 'An end has more than one mechanism, or none.',
  WIRE_TO_ITSELF: 'Both ends of a wire are the same interface, or the same id on one memif socket.',
  DUPLICATE_NAME: 'Two wires have the same name.',
  INTERFACE_CLAIMED: 'Two wires want the same interface of the same namespace.',
  MEMIF_CLAIMED: 'Two wires want the same id on the same memif socket.',
  TUNNEL_CLAIMED:
    'Two wires want a tunnel resource that must be unique in the kernel, whatever the remote: a UDP port, or a network identifier at a UDP port and family.',
  ENDS_UNJOINED: 'The two ends of this wire cannot be joined; the reason says why.',
  DEVICE_CLAIMED: 'Two wires want the same virtual function.',
  FILE_UNREADABLE: 'A wire file, the SR-IOV file or a directory cannot be read.',
  NO_WIRES: 'The given files contain no wire.',
  OPTION_INVALID: 'An option, or its environment variable, has an invalid value.',
} satisfies Catalogue;

export const startErrors = {
  NODE_MISSING: 'Node.js is not installed on this machine.',
  NODE_TOO_OLD: 'The Node.js that was found is older than 22.20.',
  NOT_BUILT: 'The checkout has not been built: npm run build.',
  ADDON_MISSING: 'The native addon is missing: npm run build makes it.',
  ADDON_INCOMPATIBLE:
    'The native addon was built for another platform or from other sources: npm run build makes it anew.',
  CAPABILITY_MISSING: 'The process lacks capabilities; the subject names them.',
  NODE_NAME: 'The node name cannot be used in ownership marks.',
  STATE_DIR_LOCKED: 'Another daemon uses this state directory.',
  STATE_DIR_FAILED: 'The state directory cannot be made or locked.',
  METRICS_ADDRESS_BUSY: 'Another program listens on the metrics address.',
  METRICS_ADDRESS_REFUSED: 'The kernel refuses to listen on the metrics address.',
  CONTROL_SOCKET_BUSY: 'Another daemon answers on the control socket.',
  CONTROL_SOCKET_TAKEN: 'The path of the control socket exists and is not a socket; it was left alone.',
  CONTROL_SOCKET_REFUSED: 'The control socket cannot be made.',
  ENGINE_START_FAILED: 'A worker thread cannot be started or pinned.',
  CPU_UNAVAILABLE: 'A CPU of --worker-cpus does not exist, is offline, or is outside the cpuset of the process.',
  ENGINE_STARTED: 'The engine was started twice.',
  ENGINE_STOPPED: 'The engine is not running.',
} satisfies Catalogue;

export const requestErrors = {
  DAEMON_UNREACHABLE: 'No daemon answers on the control socket, or the socket may not be opened.',
  DAEMON_RUNNING: 'A daemon of this node runs; what it has made is not cleaned up under it.',
  WIRE_NOT_FOUND: 'No wire has that name.',
  WIRE_NAME: 'The name is not a DNS label of at most 63 characters.',
  ROUTE_UNKNOWN: 'The control API has no such route: GET /openapi.json describes all routes.',
  METHOD_WRONG: 'The route does not have this method; the header Allow names its methods.',
  CONTENT_TYPE_WRONG: 'The content type of the request body is not application/json.',
  JSON_BROKEN: 'The request body is not JSON in UTF-8.',
  BODY_INVALID: 'The request body is JSON, but does not have the shape that the route takes.',
  BODY_TOO_LARGE: 'The request body is larger than the control API accepts.',
  QUERY_INVALID: 'A query parameter has an invalid value.',
  NOT_RUNNING: 'The daemon is starting or stopping.',
  INVALID_ARGUMENT: 'An argument to the library does not have the declared type or is out of bounds.',
  INTERNAL: 'A defect of Crosswire: please report it with the log.',
} satisfies Catalogue;

export const kernelErrors = {
  NAMESPACE_MISSING: 'The network namespace does not exist, or its process has ended.',
  NAMESPACE_INVALID: 'The path exists but is not a network namespace.',
  NAMESPACE_DENIED: 'The network namespace may not be made, opened or entered; CAP_SYS_ADMIN is needed.',
  NAMESPACE_CHANGED: 'The pid now refers to another network namespace than when the wire was applied.',
  PERMISSION_DENIED: 'The kernel refused because a capability is missing.',
  NETLINK_FAILED: 'A netlink socket could not be used; the reason is the kernel’s.',
  INTERFACE_TAKEN: 'An interface of that name exists and is not ours; it was left alone.',
  INTERFACE_EXISTS: 'The kernel says that the interface name is taken.',
  INTERFACE_MISSING: 'The interface does not exist (any more).',
  INTERFACE_NOT_OURS: 'The interface has no mark of ours, or the mark of another wire; it was left alone.',
  INTERFACE_REFUSED: 'The kernel refused to make or change the interface.',
  ADDRESS_REFUSED: 'The kernel refused an IP address.',
  ROUTE_REFUSED: 'The kernel refused a route; its gateway may be unreachable.',
  POLICY_REFUSED: 'The kernel refused a rule of policy routing.',
  SYSCTL_REFUSED: 'The kernel refused a setting below /proc/sys/net; it may be mounted read-only.',
  DEVICE_MISSING: 'There is no PCI function at that address (any more), or it cannot do what was asked.',
  DEVICE_UNAVAILABLE: 'No virtual function that fits is free; the reason says what keeps each from it.',
  DEVICE_REFUSED: 'The kernel refused a setting of a PCI function.',
  DEVICE_BUSY: 'An application still drives the PCI function.',
  DRIVER_MISSING: 'The driver to which a PCI function is to be bound is not loaded.',
  DRIVER_REFUSED: 'The kernel did not bind a PCI function to a driver, or did not unbind it, in time.',
  VF_REFUSED: 'The driver of a physical function refuses an attribute of a virtual function, or does not have it.',
  NEIGHBOUR_REFUSED: 'The kernel refused a neighbour entry.',
  TUNNEL_REFUSED:
    'The kernel refused the device of a tunnel, or has another one of that VNI and port, or its UDP port is taken.',
  PACKET_SOCKET_FAILED:
    'The kernel refused a packet socket, by which the engine uses a tunnel, a virtual function or a VLAN.',
  CGROUP_MISSING: 'The control group does not exist (any more).',
  CGROUP_INVALID: 'The path does not name a control group that controls devices.',
  CGROUP_REFUSED: 'The kernel refused to read or change the device rules of a control group, or our records there.',
  DEVICE_REFUSED_ABOVE:
    'A control group above the workload’s, which is named, refuses the device to all below; it is left as it is.',
  DEVICE_PROGRAM_OPAQUE: 'The device program of a control group uses maps or calls, and cannot be opened for a device.',
  DEVICE_PROGRAM_REFUSED: 'The kernel refused an operation on the device program of a control group.',
  HOST_DEVICE_MISSING: "The host device of an end does not exist in the forwarder's network namespace.",
  HOST_DEVICE_REFUSED: 'The host device cannot be shared, or not in the way that the wire wants; the reason says why.',
  HOST_DEVICE_DOWN:
    'The host device that an end is behind is down or has no carrier; the wire stands, and leads nowhere.',
  TAP_UNSUPPORTED: 'There is no /dev/net/tun: modprobe tun, or give the device to the container.',
  TAP_DENIED: 'The tap device may not be opened.',
  TAP_BUSY: 'Another process holds the tap device.',
  TAP_EXISTS: 'The name of the tap device is taken.',
  TAP_MISSING: 'The tap device does not exist (any more).',
  TAP_WRONG_KIND: 'An interface of that name exists, but is not a tap or tun device of the wanted kind.',
  TAP_FAILED: 'The kernel refused an operation on the tap device.',
} satisfies Catalogue;

export const engineErrors = {
  MEMIF_OPTION: 'An option of a memif end is out of bounds.',
  MEMIF_ID_TAKEN: 'Another end uses that id on the memif socket.',
  SOCKET_PATH: 'The unix socket cannot be made at that path, or the path exists and is not a socket.',
  SOCKET_BUSY: 'Another process listens on the unix socket.',
  SOCKET_ABSENT: 'No process listens on the unix socket; a memif end tries again.',
  SOCKET_FAILED: 'The kernel refused an operation on the unix socket.',
  SOCKET_CLOSED: 'The unix connection has ended; the reason says why where the peer broke a rule.',
  MEMORY_FAILED: 'Shared memory cannot be made or mapped.',
  MEMORY_REFUSED: 'A memif peer offered shared memory that is not safe to use; see allowUnsealed.',
  OUT_OF_MEMORY: 'The process is out of memory.',
  OUT_OF_DESCRIPTORS: 'Another engine wire might take the last file descriptors: raise the limit of open files.',
  THREAD_FAILED: 'A thread cannot be started.',
  EPOLL_FAILED: 'The kernel refused an epoll instance; the limit of open files may be reached.',
  EVENTFD_FAILED: 'The kernel refused an eventfd; the limit of open files may be reached.',
  LINK_FAILED: 'A link cannot be opened.',
  PAYLOAD_MISMATCH: 'A link carries another payload than its wire.',
  WIRE_MISSING: 'The engine has no wire with that id (any more).',
} satisfies Catalogue;

export const stateErrors = {
  JOURNAL_WRITE_FAILED: 'The record of a wire cannot be written: the disk may be full. Nothing was changed.',
  JOURNAL_CORRUPT: 'The record of a wire cannot be read; it was set aside, and all other wires go on.',
  DEVICE_UNAVAILABLE: 'A wire asks for a virtual function where none are lent.',
  DEVICE_SEGMENT_SHARED:
    'For your information: a wire of virtual functions has no VLAN, and is not alone on its segment.',
  DEVICE_ATTRIBUTE_REFUSED: 'A NIC refused a setting that the wire can do without; the text names it.',
  ORPHAN_LEFT: 'An interface with our mark that no wire claims could not be removed.',
} satisfies Catalogue;

export const nsmErrors = {
  LISTEN_FAILED: 'The kernel refuses to listen on the address for NSM.',
  NEXT_HOP_UNREACHABLE:
    'A connection to the next hop cannot be opened or secured; the reason is that of the last step.',
  FILE_NOT_OPENED: 'A file that is to be sent to a peer as a descriptor, or one that was received, cannot be opened.',
  FILE_NOT_SENT: 'The descriptor that a peer names by its inode did not come over the connection in time.',
  CONNECTION_PATH: 'The path of a connection contradicts itself or its id.',
  MECHANISM_UNSUPPORTED:
    'The caller of a Request wants only mechanisms that this forwarder does not have, or none of them leads to the next hop.',
  MECHANISM_PARAMETER: 'A parameter of a mechanism is missing, unreadable or in use by another connection.',
  SERVICE_UNKNOWN: 'The manager knows no network service of that name.',
  ENDPOINT_UNKNOWN: 'The manager knows no endpoint of that name, or none that matches the labels.',
  REQUEST_FAILED: 'No mechanism and no endpoint led to a connection; the reason lists every attempt.',
  ANSWER_WRONG: 'The answer of the next hop does not belong to the request.',
  CONNECTION_OF_ANOTHER: 'The connection with that id belongs to another client.',
  TOO_MANY_CALLS: 'Too many calls for one connection are waiting.',
  NAME_OF_ANOTHER: 'Another identity has registered that name at the manager, or the registry is full.',
  ADDRESSES_EXHAUSTED: 'An endpoint has given out all addresses of its prefix.',
  TOO_MANY_CONNECTIONS: 'The forwarder, or one caller without a manager, has reached its limit of connections.',
  REGISTRATION_LOST: 'The manager has lost the entry of this forwarder; the forwarder registers again at once.',
  IDENTITY_UNAVAILABLE: 'The Workload API cannot be reached or has no identity for this process; it is asked again.',
  IDENTITY_UNUSABLE:
    'Certificate, key or bundle are broken, expired, or do not belong together; the last good one is kept.',
  IDENTITY_MISSING: 'A program of the mesh cannot start because it was given no identity.',
  IDENTITY_KEY: 'The key of the identity is not EC P-256, with which NSM signs its tokens.',
  PEER_REFUSED: 'The certificate of a peer is not an X.509 SVID issued by a trusted authority of its trust domain.',
  POLICY_REFUSED: 'A policy refuses the tokens of a path; the subject names the policy.',
} satisfies Catalogue;

export const kubeletErrors = {
  KUBELET_UNREACHABLE: 'kubelet’s socket does not exist, or kubelet refused the call; it is asked again.',
  TOKEN_UNUSABLE:
    'The token of a VF does not belong to this forwarder, or its VF is in use under another resource name.',
} satisfies Catalogue;

export const errorGroups: readonly { readonly title: string; readonly errors: Catalogue }[] = [
  { title: 'Files, options and command lines (nothing was changed)', errors: inputErrors },
  { title: 'Starting', errors: startErrors },
  { title: 'Requests', errors: requestErrors },
  { title: 'The kernel: namespaces, interfaces', errors: kernelErrors },
  { title: 'The engine and memif', errors: engineErrors },
  { title: 'State and health', errors: stateErrors },
  { title: 'Network Service Mesh', errors: nsmErrors },
  { title: 'kubelet', errors: kubeletErrors },
];
