/**
 * Random, damaged and wrong messages to the agent in front. It must answer each of them, and sign nothing that is not a
 * login or a signature of git.
 *
 * One key is strict: no message here is permitted for it, so it must never sign. The other key permits everything that
 * can be permitted: what it signs is checked by its first bytes, without our parser.
 */
import { AgentLock } from '../../../src/kms/front/agent-lock.ts';
import { Back } from '../../../src/kms/front/back.ts';
import { ClientSession } from '../../../src/kms/front/client-session.ts';
import { Identities } from '../../../src/kms/front/identities.ts';
import { Signing } from '../../../src/kms/front/signing.ts';
import { UseLog } from '../../../src/kms/front/use-log.ts';
import { longestMessage, message, MessageReader, requests } from '../../../src/ssh/agent-protocol.ts';
import { string, uint32 } from '../../../src/keys/wire.ts';
import { seededRandom } from '../../support/aws/session-manager/random.ts';
import { identityFor } from '../../support/front.ts';
import { memorySigner, type MemorySigner, type SignerType } from '../../support/memory-signer.ts';
import { bindMessage, loginData, makeHost, session, signMessage, sshsigData } from './requests.ts';

export interface FuzzOutcome {
  readonly messages: number;
  /** Signatures of the key that permits everything. */
  readonly signed: number;
}

type Random = (end: number) => number;

const types: readonly SignerType[] = ['ed25519', 'rsa', 'nistp256'];

/** @throws if the agent crashes, gives a wrong answer, or signs what it must not */
export async function fuzz(count: number, seed: number): Promise<FuzzOutcome> {
  const random = seededRandom(seed);
  const upTo: Random = (end) => Math.floor(random() * end);
  const world = makeWorld();
  const messages = wellFormed(world);
  let client = world.connect();
  for (let number = 0; number < count; number++) {
    if (upTo(20) === 0) client = world.connect();
    const sent = changed(messages, upTo);
    for (const body of received(sent, upTo)) checkAnswer(await client.answer(body), seed);
    if (world.lock.isLocked) world.lock.open();
    world.restore();
  }
  if (world.wrong.length > 0) throw new Error(`signed ${world.wrong.join(' ')}, with the seed ${seed}`);
  const asked = world.strict.reduce((sum, signer) => sum + signer.asked(), 0);
  if (asked > 0) throw new Error(`${asked} signatures by a key that permits none, with the seed ${seed}`);
  return { messages: count, signed: world.lax.reduce((sum, signer) => sum + signer.asked(), 0) };
}

type World = ReturnType<typeof makeWorld>;

function makeWorld() {
  const wrong: string[] = [];
  const host = makeHost();
  const identities = new Identities({ now: () => 0, onEmpty: () => undefined });
  const [lock, log] = [new AgentLock(), new UseLog()];
  const signing = new Signing({ identities, lock, log, time: () => new Date(0) });
  const strict = types.map((type) => memorySigner(type));
  const lax = types.map((type) => checked(memorySigner(type), wrong));
  const known = [{ host: 'git.test', keys: [{ blob: host.key, isAuthority: false }] }];
  const restore = (): void => {
    if (identities.list().length === strict.length + lax.length) return;
    for (const signer of strict) identities.add(identityFor(signer));
    for (const signer of lax) {
      const hosts = (): Promise<typeof known> => Promise.resolve(known);
      identities.add(identityFor(signer, { unbound: 'allow', forwarding: 'allow', hosts }));
    }
  };
  restore();
  const connect = (): ClientSession =>
    new ClientSession({ identities, lock, signing, back: new Back(undefined) });
  return { host, strict, lax, lock, restore, connect, wrong };
}

const gitSignature = Buffer.from('SSHSIG\0\0\0\x03git\0\0\0\0\0\0\0\x06sha', 'latin1');

/** A signer that notes any data but a login or a signature of git. */
function checked(signer: MemorySigner, wrong: string[]): MemorySigner {
  return {
    ...signer,
    sign: async (data, algorithm, signal) => {
      const isGit = data.subarray(0, gitSignature.length).equals(gitSignature);
      const isLogin = data[4 + data.readUInt32BE()] === 50 && data.includes('\0\0\0\x0essh-connection\0\0\0');
      // Noted, because the agent catches what a signer throws.
      if (!isGit && !isLogin) wrong.push(data.toString('hex'));
      return await signer.sign(data, algorithm, signal);
    },
  };
}

/** Messages that are right, or wrong in one respect. None is permitted for the strict keys. */
function wellFormed({ host, strict, lax }: World): Buffer[] {
  const stranger = makeHost();
  const forEach = [...strict, ...lax].flatMap((signer) => {
    const { blob, type } = signer.publicKey;
    const [flags, algorithm] = type === 'ssh-rsa' ? [4, 'rsa-sha2-512'] : [0, type];
    const login = { blob, algorithm };
    const isStrict = strict.includes(signer);
    return [
      signMessage(blob, loginData(login), flags),
      signMessage(blob, loginData({ ...login, hostKey: stranger.key }), flags),
      signMessage(blob, loginData({ ...login, hostKey: host.key }), flags),
      signMessage(blob, loginData({ ...login, sessionId: Buffer.alloc(20, 1) }), flags),
      signMessage(blob, sshsigData({ namespace: isStrict ? 'file' : 'git' }), flags),
      signMessage(blob, sshsigData({ namespace: 'gitx' }), flags),
      signMessage(blob, Buffer.from('text'), flags),
      signMessage(blob, loginData({ ...login, algorithm: 'ssh-rsa' }), 0),
      message(requests.removeIdentity, string(blob)),
    ];
  });
  const binds = [host, stranger].flatMap(({ bind }) => [
    bindMessage(bind()),
    bindMessage(bind({ isForwarding: true, sessionId: Buffer.alloc(20, 1) })),
    bindMessage(bind({ sessionId: session, signature: Buffer.alloc(83) })),
  ]);
  const others = Object.values(requests).map((number) => message(number));
  const extensions = ['query', 'log@ssm-ssh-agent', 'x'].map((name) =>
    message(requests.extension, string(name)),
  );
  return [...forEach, ...binds, ...others, ...extensions, message(requests.lock, string('secret'))];
}

function changed(messages: readonly Buffer[], upTo: Random): Buffer {
  const chosen = Buffer.from(messages[upTo(messages.length)] ?? Buffer.alloc(5));
  const at = 4 + upTo(chosen.length - 4);
  switch (upTo(8)) {
    case 0:
      return framed(noise(1 + upTo(200), upTo));
    case 1:
      return framed(chosen.subarray(4, Math.max(5, at)));
    case 2:
      return framed(Buffer.concat([chosen.subarray(4), noise(1 + upTo(40), upTo)]));
    case 3:
      return flip(chosen, at, upTo);
    case 4:
      return flip(flip(chosen, at, upTo), 4 + upTo(chosen.length - 4), upTo);
    case 5:
      // A length somewhere: most fields are strings.
      if (at + 4 <= chosen.length) uint32([0, 1, 0xffff_ffff, upTo(300)][upTo(4)] ?? 0).copy(chosen, at);
      return chosen;
    case 6: {
      const other = messages[upTo(messages.length)] ?? chosen;
      return framed(
        Buffer.concat([chosen.subarray(4, Math.max(5, at)), other.subarray(4 + upTo(other.length - 4))]),
      );
    }
    default:
      return chosen;
  }
}

function framed(body: Buffer): Buffer {
  return string(body.subarray(0, longestMessage));
}

function flip(bytes: Buffer, at: number, upTo: Random): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << upTo(8));
  return bytes;
}

function noise(length: number, upTo: Random): Buffer {
  return Buffer.from(Array.from({ length }, () => upTo(256)));
}

/** The message as the agent gets it, in two pieces. */
function received(sent: Buffer, upTo: Random): Buffer[] {
  const reader = new MessageReader();
  const middle = upTo(sent.length);
  return [...reader.push(sent.subarray(0, middle)), ...reader.push(sent.subarray(middle))];
}

const numbers: ReadonlySet<number | undefined> = new Set([5, 6, 12, 14, 28, 29]);

function checkAnswer(answer: Buffer, seed: number): void {
  if (answer.length >= 5 && answer.readUInt32BE() === answer.length - 4 && numbers.has(answer[4])) return;
  throw new Error(`a wrong answer: ${answer.toString('hex')}, with the seed ${seed}`);
}
