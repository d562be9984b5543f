/** Messages of clients, written by hand: for clients that bind no session, and for wrong ones. */
import { createPrivateKey } from 'node:crypto';
import type { SignatureAlgorithm } from '../../../src/keys/signer.ts';
import { string, uint32 } from '../../../src/keys/wire.ts';
import { message, requests } from '../../../src/ssh/agent-protocol.ts';
import type { BindRequest, SignRequest } from '../../../src/ssh/agent-requests.ts';
import { memorySigner, signature, type MemorySigner, type SignerType } from '../../support/memory-signer.ts';

export interface Login {
  readonly blob: Buffer;
  readonly sessionId?: Buffer;
  readonly number?: number;
  readonly user?: string | Buffer;
  readonly service?: string;
  readonly method?: string;
  readonly follows?: number;
  readonly algorithm?: string;
  readonly key?: Buffer;
  /** Makes it a hostbound login. */
  readonly hostKey?: Buffer | undefined;
  readonly rest?: Buffer;
}

export const hostbound = 'publickey-hostbound-v00@openssh.com';
export const session = Buffer.alloc(32, 7);

/** What the client wants to have signed (RFC 4252 §7). */
export function loginData({ blob, hostKey, ...login }: Login): Buffer {
  return Buffer.concat([
    string(login.sessionId ?? session),
    Buffer.of(login.number ?? 50),
    string(login.user ?? 'git'),
    string(login.service ?? 'ssh-connection'),
    string(login.method ?? (hostKey ? hostbound : 'publickey')),
    Buffer.of(login.follows ?? 1),
    string(login.algorithm ?? 'ssh-ed25519'),
    string(login.key ?? blob),
    ...(hostKey ? [string(hostKey)] : []),
    login.rest ?? Buffer.alloc(0),
  ]);
}

export interface Sshsig {
  readonly namespace?: string;
  readonly reserved?: string;
  readonly hash?: string;
  readonly digest?: Buffer;
  readonly rest?: Buffer;
}

export function sshsigData({
  namespace = 'git',
  reserved = '',
  hash = 'sha512',
  ...more
}: Sshsig = {}): Buffer {
  const digest = more.digest ?? Buffer.alloc(hash === 'sha256' ? 32 : 64, 3);
  const fields = [namespace, reserved, hash, digest].map((field) => string(field));
  return Buffer.concat([Buffer.from('SSHSIG'), ...fields, more.rest ?? Buffer.alloc(0)]);
}

export function signRequest(blob: Buffer, data: Buffer, flags = 0): SignRequest {
  return { kind: 'sign', blob, data, flags };
}

export function signMessage(blob: Buffer, data: Buffer, flags = 0): Buffer {
  return message(requests.sign, string(blob), string(data), uint32(flags));
}

export interface Host {
  readonly key: Buffer;
  readonly signer: MemorySigner;
  /** A session with this host, bound as ssh does it. */
  readonly bind: (
    binding?: Partial<BindRequest> & { readonly algorithm?: SignatureAlgorithm | 'ssh-rsa' },
  ) => BindRequest;
}

export function makeHost(type: SignerType = 'ed25519'): Host {
  const signer = memorySigner(type);
  const privateKey = createPrivateKey(signer.pem);
  const [usual = 'ssh-ed25519'] = signer.algorithms;
  return {
    key: signer.publicKey.blob,
    signer,
    bind: ({ algorithm = usual, ...binding } = {}) => {
      const sessionId = binding.sessionId ?? session;
      return {
        kind: 'bind',
        hostKey: signer.publicKey.blob,
        isForwarding: false,
        signature: signature(privateKey, sessionId, algorithm),
        ...binding,
        sessionId,
      };
    },
  };
}

export function bindMessage({ hostKey, sessionId, signature: signed, isForwarding }: BindRequest): Buffer {
  const fields = ['session-bind@openssh.com', hostKey, sessionId, signed].map((field) => string(field));
  return message(requests.extension, ...fields, Buffer.of(isForwarding ? 1 : 0));
}
