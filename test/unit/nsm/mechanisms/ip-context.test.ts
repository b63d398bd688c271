// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { ConnectionContext } from '../../../../src/nsm/generated/connectioncontext.ts';
import { halfOf, neighboursOf, policiesOf, routesOf } from '../../../../src/nsm/mechanisms/ip-context.ts';

const contextOf = (ipContext: Parameters<typeof ConnectionContext.fromPartial>[0]['ipContext']) =>
  ConnectionContext.fromPartial({ ipContext });

test('point to point: each side reaches the other on the link', (t) => {
  const context = contextOf({
    srcIpAddrs: ['172.16.1.101/32'],
    dstIpAddrs: ['172.16.1.100/32'],
    srcRoutes: [{ prefix: '172.16.1.100/32' }],
    dstRoutes: [{ prefix: '172.16.1.101/32' }],
  });
  t.deepEqual(halfOf(context, 'client').addresses, ['172.16.1.101/32']);
  t.deepEqual(routesOf(halfOf(context, 'client')), [{ to: '172.16.1.100/32' }]);
  t.deepEqual(routesOf(halfOf(context, 'endpoint')), [{ to: '172.16.1.101/32' }]);
});

test('addresses of one network need no route to each other', (t) => {
  const context = contextOf({ srcIpAddrs: ['10.0.0.2/24'], dstIpAddrs: ['10.0.0.1/24'] });
  t.deepEqual(routesOf(halfOf(context, 'client')), []);
});

test('a route without next hop leads through the other side, of the same family', (t) => {
  const context = contextOf({
    srcIpAddrs: ['10.0.0.2/32', 'fd00::2/128'],
    dstIpAddrs: ['10.0.0.1/32', 'fd00::1/128'],
    srcRoutes: [{ prefix: '192.168.7.9/16' }, { prefix: 'fd07::/64' }],
  });
  t.deepEqual(routesOf(halfOf(context, 'client')), [
    { to: '10.0.0.1/32' },
    { to: 'fd00::1/128' },
    { to: '192.168.0.0/16', via: '10.0.0.1' },
    { to: 'fd07::/64', via: 'fd00::1' },
  ]);
});

test('a network of the other side needs no gateway', (t) => {
  const context = contextOf({
    srcIpAddrs: ['10.0.0.2/32'],
    dstIpAddrs: ['10.1.0.1/16'],
    srcRoutes: [{ prefix: '10.1.4.0/24' }],
  });
  t.deepEqual(routesOf(halfOf(context, 'client')), [{ to: '10.1.4.0/24' }, { to: '10.1.0.1/32' }]);
});

test('a next hop that no own network covers is on the link, and comes before what leads through it', (t) => {
  const context = contextOf({
    srcIpAddrs: ['10.0.0.2/32'],
    dstIpAddrs: ['10.0.0.1/32'],
    srcRoutes: [{ prefix: '0.0.0.0/0', nextHop: '169.254.1.1' }],
  });
  t.deepEqual(routesOf(halfOf(context, 'client')), [
    { to: '10.0.0.1/32' },
    { to: '169.254.1.1/32' },
    { to: '0.0.0.0/0', via: '169.254.1.1' },
  ]);
});

test('an IPv6 address is the same however it is spelt', (t) => {
  const half = {
    addresses: ['FD00::1/128'],
    otherAddresses: ['fd00:0:0::2/128'],
    routes: [
      { prefix: 'fd00::2/128', nextHop: '' },
      { prefix: '::/0', nextHop: 'FD00::2' },
    ],
  };
  t.deepEqual(routesOf(half), [{ to: 'fd00::2/128' }, { to: '::/0', via: 'fd00::2' }]);
});

test('what cannot be read stays as it is, for the check of the wire to name', (t) => {
  const context = contextOf({ srcIpAddrs: ['10.0.0.2/32'], srcRoutes: [{ prefix: 'nonsense' }] });
  t.true(routesOf(halfOf(context, 'client')).some(({ to }) => to === 'nonsense'));
});

test('neighbours are those of others, each once', (t) => {
  const context = contextOf({
    ipNeighbors: [
      { ip: '10.0.0.1', hardwareAddress: '02:00:00:00:00:01' },
      { ip: '10.0.0.1', hardwareAddress: '02:00:00:00:00:02' },
      { ip: '10.0.0.2', hardwareAddress: '02:00:00:00:00:03' },
    ],
  });
  t.deepEqual(neighboursOf(context, ['10.0.0.2/32']), [{ address: '10.0.0.1', mac: '02:00:00:00:00:02' }]);
});

test('a policy without routes leads all of IPv4 into the wire', (t) => {
  const context = contextOf({
    srcIpAddrs: ['10.0.0.2/32'],
    policies: [
      { from: '10.0.0.2/24', proto: '6', dstPort: '80-90' },
      { srcPort: '53', routes: [{ prefix: '10.9.0.0/16', nextHop: '10.0.0.1' }] },
      { from: '10.0.0.0/24', proto: '6', dstPort: '80-90' },
    ],
  });
  t.deepEqual(policiesOf(context, halfOf(context, 'client')), [
    { from: '10.0.0.0/24', protocol: 6, destinationPorts: '80-90', routes: [{ to: '0.0.0.0/0' }] },
    { sourcePorts: '53', routes: [{ to: '10.0.0.1/32' }, { to: '10.9.0.0/16', via: '10.0.0.1' }] },
  ]);
});
