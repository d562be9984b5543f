/**
 * The agent's side of its protocol: decodes requests and encodes answers. Pure.
 *
 * @source RFC 9987; openssh-portable, PROTOCOL.agent and ssh-agent.c
 */
import { string, uint32, WireReader } from '../keys/wire.ts';
import { answers, message, requests, type ListedIdentity } from './agent-protocol.ts';

export interface SignRequest {
  readonly kind: 'sign';
  /** The public key or the certificate. */
  readonly blob: Buffer;
  readonly data: Buffer;
  readonly flags: number;
}

/** `session-bind@openssh.com` */
export interface BindRequest {
  readonly kind: 'bind';
  /** The public key or the certificate. */
  readonly hostKey: Buffer;
  readonly sessionId: Buffer;
  readonly signature: Buffer;
  readonly isForwarding: boolean;
}

export type AgentRequest =
  | SignRequest
  | BindRequest
  | { readonly kind: 'list' | 'remove all' | 'query' }
  | { readonly kind: 'remove'; readonly blob: Buffer }
  | { readonly kind: 'lock' | 'unlock'; readonly passphrase: Buffer }
  | { readonly kind: 'extension'; readonly name: string; readonly content: Buffer }
  /** `broken`: a request of these kinds that is incomplete; `other`: all other requests. */
  | { readonly kind: 'broken' | 'other' };

const sessionBind = 'session-bind@openssh.com';
/** Extensions that the front has itself, for `query`. */
const ownExtensions: readonly string[] = [sessionBind];

/** @param request a message without its length */
export function readRequest(request: Buffer): AgentRequest {
  const reader = new WireReader(request.subarray(1));
  try {
    switch (request[0]) {
      case requests.listIdentities:
        return { kind: 'list' };
      case requests.sign:
        return readSign(reader);
      case requests.removeIdentity:
        return { kind: 'remove', blob: reader.string() };
      case requests.removeAllIdentities:
      case requests.removeAllOldIdentities:
        return { kind: 'remove all' };
      case requests.lock:
        return { kind: 'lock', passphrase: reader.string() };
      case requests.unlock:
        return { kind: 'unlock', passphrase: reader.string() };
      case requests.extension:
        return readExtension(reader);
      default:
        return { kind: 'other' };
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { kind: 'broken' };
  }
}

function readSign(reader: WireReader): AgentRequest {
  const request = {
    kind: 'sign',
    blob: reader.string(),
    data: reader.string(),
    flags: reader.uint32(),
  } as const;
  return reader.rest.length > 0 ? { kind: 'broken' } : request;
}

function readExtension(reader: WireReader): AgentRequest {
  const name = reader.string().toString('latin1');
  if (name === 'query') return { kind: 'query' };
  if (name !== sessionBind) return { kind: 'extension', name, content: reader.rest };
  const [hostKey, sessionId, signature] = [reader.string(), reader.string(), reader.string()];
  const [flag] = reader.rest;
  if (flag === undefined) return { kind: 'broken' };
  return { kind: 'bind', hostKey, sessionId, signature, isForwarding: flag !== 0 };
}

export const failure = (): Buffer => message(answers.failure);
export const success = (): Buffer => message(answers.success);
export const extensionFailure = (): Buffer => message(answers.extensionFailure);

/** @param signature in wire form, without its own length */
export function signatureAnswer(signature: Buffer): Buffer {
  return message(answers.signature, string(signature));
}

export function identitiesAnswer(identities: readonly ListedIdentity[]): Buffer {
  const fields = identities.flatMap(({ blob, comment }) => [string(blob), string(comment)]);
  return message(answers.identities, uint32(identities.length), ...fields);
}

export function extensionAnswer(name: string, ...content: readonly Buffer[]): Buffer {
  return message(answers.extension, string(name), ...content);
}

/** @param behind the answer of the agent behind, without its length, if there is one */
export function queryAnswer(behind: Buffer | undefined): Buffer {
  const names = new Set([...ownExtensions, ...namesIn(behind)]);
  return extensionAnswer('query', ...[...names].map((name) => string(name)));
}

function namesIn(answer: Buffer | undefined): string[] {
  if (answer?.[0] !== answers.extension) return [];
  const names: string[] = [];
  try {
    const reader = new WireReader(answer.subarray(1));
    if (reader.string().toString('latin1') !== 'query') return [];
    while (reader.rest.length > 0) names.push(reader.string().toString('latin1'));
    return names;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [];
  }
}
