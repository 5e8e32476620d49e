// The toy controller as a process of its own, for tests that stop it in the middle: it writes its name as often as it can, while it leads.
// usage: node toy-main.ts KUBECONFIG NAMESPACE IDENTITY

import { findKube } from '../../src/kube/config.ts';
import { toyController } from './toy-controller.ts';
import { toyLease, writeName } from './toy-names.ts';

const [, , kubeconfig, namespace = '', identity = ''] = process.argv;
const { controller } = toyController(await findKube({ kubeconfig }), { namespaces: [namespace], identity, lease: toyLease(namespace) });
controller.start();
await controller.lease?.acquired;
let isOver = false;
const ended = controller.ended.then((reason) => {
  isOver = true;
  return reason;
});
process.on('SIGTERM', () => void controller.stop());
for (let n = 0; !isOver; n++) {
  await writeName(controller, namespace, identity).then(
    () => n === 0 && console.log('leads'),
    (error: Error) => console.error(error.message),
  );
  await new Promise((resolve) => setImmediate(resolve));
}
console.log(await ended);
process.exit(3);
