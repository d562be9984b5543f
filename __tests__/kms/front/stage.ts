/** An agent in front for a test, and the messages that most tests send to it. */
import { Failure } from '../../../src/errors.ts';
import { readUses } from '../../../src/kms/front/control.ts';
import type { FrontOptions } from '../../../src/kms/front/front.ts';
import type { Added } from '../../../src/kms/front/identities.ts';
import type { Limits } from '../../../src/kms/front/identity.ts';
import type { Use } from '../../../src/kms/front/use-log.ts';
import { askFrontSocket, identityFor, startTestFront, type TestFront } from '../../support/front.ts';
import type { MemorySigner } from '../../support/memory-signer.ts';
import { signMessage, sshsigData } from './requests.ts';

export const signal = AbortSignal.timeout(600_000);
/** Numbers of answers. */
export const [signed, failed] = [14, 5];
/** The agent of the current test. */
export let front: TestFront;

/** Without an agent behind. */
export async function start(options: Partial<FrontOptions> = {}): Promise<void> {
  front = await startTestFront({ back: undefined, ...options });
}

export async function startWithBack(): Promise<void> {
  front = await startTestFront();
}

export function add(signer: MemorySigner, limits: Partial<Limits> = {}): Added {
  return front.identities.add(identityFor(signer, limits));
}

/** For a signature of git. */
export const request = (signer: MemorySigner): Buffer => signMessage(signer.publicKey.blob, sshsigData());

/** The number of the answer to a signature of git. */
export async function signOnce(signer: MemorySigner): Promise<number | undefined> {
  const [answer] = await askFrontSocket(front.socket, request(signer));
  return answer?.[0];
}

export const uses = async (): Promise<readonly Use[]> => (await readUses(front.control, { signal })).uses;
export const lastReason = async (): Promise<string | undefined> => (await uses()).at(-1)?.failure?.message;

export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw new Error('no Failure was thrown', { cause: error });
}
