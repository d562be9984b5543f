/** An agent of this process that signs for the proof of one key in KMS, and for nothing else. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRepositoryPattern } from '../../src/keys/routes.ts';
import type { Signer } from '../../src/keys/signer.ts';
import type { Front } from '../../src/kms/front/front.ts';
import type { KeyFolder } from '../../src/ssh/key-folder.ts';
import { hostsOf } from '../../src/ssh/repository-hosts.ts';
import type { Running } from '../command-line/command.ts';
import { knownHostsOf } from '../command-line/known-hosts-of.ts';

export interface ProofSigning {
  readonly signer: Signer;
  readonly folder: Pick<KeyFolder, 'path' | 'socket' | 'knownHosts'>;
  /** The ssh address of a repository. */
  readonly url: string;
}

/** The folder has to be there. Its guard removes the sockets, too, if this process is killed. */
export async function startProofFront(
  { signer, folder, url }: ProofSigning,
  { env }: Pick<Running, 'env'>,
): Promise<Front> {
  const { startFront } = await import('../../src/kms/front/front.ts');
  // Of `host:path` without a user, the path would be read as a port.
  const pattern = parseRepositoryPattern(/:\/\/|@/.test(url) ? url : `git@${url}`);
  const files = [folder.knownHosts, ...knownHostsOf(env)];
  const front = await startFront({ socket: folder.socket, control: join(folder.path, 'control') });
  front.identities.add({
    signer,
    ...{ blobs: [signer.publicKey.blob], comment: signer.publicKey.comment },
    limits: {
      // ssh checks the host key, and ssh before 8.9 does not name it to agents.
      ...{ lifetime: 0, unbound: 'allow', forwarding: 'refuse' },
      hosts: async () => {
        const texts = await Promise.all(files.map((path) => readFile(path, 'utf8').catch(() => '')));
        return hostsOf([pattern], texts.join('\n'));
      },
    },
  });
  return front;
}
