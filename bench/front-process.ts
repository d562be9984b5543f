/** `node bench/front-process.ts FOLDER [TYPE]`: an agent in front with one key in memory. Prints the public key. */
import { join } from 'node:path';
import { startFront } from '../src/kms/front/front.ts';
import { endBySignals, guardProcess } from '../src/kms/front/guarded-process.ts';
import { memorySigner, type SignerType } from '../__tests__/support/memory-signer.ts';

await guardProcess(process);
const [folder = '', type = 'ed25519'] = process.argv.slice(2);
const signer = memorySigner(type as SignerType);
const front = await startFront({
  socket: join(folder, 'agent'),
  control: join(folder, 'control'),
  extensions: {
    'memory@test': () => {
      for (const gc of [globalThis.gc, globalThis.gc]) gc?.();
      const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
      return Promise.resolve({ rss, used: heapUsed + arrayBuffers });
    },
  },
});
const hosts = (): Promise<[]> => Promise.resolve([]);
const limits = { lifetime: 0, unbound: 'refuse', forwarding: 'refuse', hosts } as const;
front.identities.add({ signer, blobs: [signer.publicKey.blob], comment: 'test', limits });
endBySignals(front, process);
console.log(signer.line);
await front.ended;
