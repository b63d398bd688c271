// SPDX-License-Identifier: Apache-2.0
// Without an IOMMU a device is never given to an application, which could use it to write to any memory of the machine.

import test from 'ava';
import { Forwarder, makeFunctions, netdevOf, nics, wire } from '../support/forwarder.ts';

test('refused: vfio where there is no IOMMU', async (t) => {
  await makeFunctions(2);
  const forwarder = await Forwarder.start();
  const before = await forwarder.snapshot();
  const device = { pci: '0000:01:10.0' };
  const document = wire('w', { vfio: { device } }, { vlan: { device: netdevOf(nics[0]), id: 7 } });
  await t.throwsAsync(forwarder.apply(document), { code: 'DEVICE_UNAVAILABLE', message: /no IOMMU group/ });
  t.deepEqual(await forwarder.snapshot(), before);
  await forwarder.stop();
});
