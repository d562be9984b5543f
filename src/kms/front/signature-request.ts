/**
 * Decides what a client wants to have signed. Only a login by SSH and a signature of git are understood, so that the
 * agent cannot be made to sign anything else. Pure.
 *
 * @source RFC 4252 §7; openssh-portable: PROTOCOL §3.1 (hostbound), PROTOCOL.sshsig, parse_userauth_request in ssh-agent.c
 */
import { Failure } from '../../errors.ts';
import { certificateSuffix } from '../../keys/certificate-fields.ts';
import type { SignatureAlgorithm } from '../../keys/signer.ts';
import { WireReader } from '../../keys/wire.ts';
import type { SignRequest } from '../../ssh/agent-requests.ts';

export interface Authentication {
  readonly purpose: 'authentication';
  readonly algorithm: SignatureAlgorithm;
  readonly sessionId: Buffer;
  readonly user: string;
  /** The host's key or certificate, which `publickey-hostbound-v00@openssh.com` has in the request. */
  readonly hostKey: Buffer | undefined;
}

export interface GitSignature {
  readonly purpose: 'git';
  readonly algorithm: SignatureAlgorithm;
}

export type SignatureRequest = Authentication | GitSignature;

/** RFC 9987 §3.6.1 */
const algorithmFlags = { 2: 'rsa-sha2-256', 4: 'rsa-sha2-512' } as const;

const userAuthenticationRequest = 50;
const methods = { plain: 'publickey', hostbound: 'publickey-hostbound-v00@openssh.com' } as const;
const sshsigMagic = Buffer.from('SSHSIG');
/** Hash → bytes. */
const hashes: Readonly<Record<string, number>> = { sha256: 32, sha512: 64 };
/** Bytes. @source AGENT_MAX_SID_LEN in ssh-agent.c */
const longestSessionId = 128;

/**
 * @param plainType the type of the identity's plain key
 * @throws SIGNATURE_REFUSED
 */
export function readSignatureRequest(request: SignRequest, plainType: string): SignatureRequest {
  const algorithm = algorithmFor(plainType, request.flags);
  try {
    return request.data.subarray(0, sshsigMagic.length).equals(sshsigMagic)
      ? readSshsig(request.data, algorithm)
      : readAuthentication(request, algorithm);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refused('the data is neither a login by SSH nor a signature of git', onlyThese);
  }
}

const onlyThese =
  'use a key in ssh-agent for other signatures: this key signs logins and git commits and tags only';

function algorithmFor(plainType: string, flags: number): SignatureAlgorithm {
  if (plainType === 'ssh-rsa') {
    if (flags === 2 || flags === 4) return algorithmFlags[flags];
    if (flags === 0) {
      const hint = 'use a client that knows rsa-sha2-256 (OpenSSH 7.2 or newer), or an Ed25519 or ECDSA key';
      throw refused('the client asks for an RSA signature with SHA-1', hint);
    }
  } else if (flags === 0) return plainType as SignatureAlgorithm;
  throw refused(`the client asks for a signature with the unknown flags ${flags}`, 'use another client');
}

function readSshsig(data: Buffer, algorithm: SignatureAlgorithm): GitSignature {
  const reader = new WireReader(data.subarray(sshsigMagic.length));
  const [namespace, reserved] = [reader.string().toString('latin1'), reader.string()];
  const [hash, digest] = [reader.string().toString('latin1'), reader.string()];
  if (namespace !== 'git') {
    throw refused(`the signature is for the namespace "${shortened(namespace)}", not for git`, onlyThese);
  }
  const size = Object.hasOwn(hashes, hash) ? hashes[hash] : undefined;
  if (digest.length !== size || reserved.length + reader.rest.length > 0)
    throw new RangeError('not as git signs');
  return { purpose: 'git', algorithm };
}

function readAuthentication({ blob, data }: SignRequest, algorithm: SignatureAlgorithm): Authentication {
  const reader = new WireReader(data);
  const sessionId = reader.string();
  if (sessionId.length === 0 || sessionId.length > longestSessionId) throw new RangeError('not a session id');
  expectByte(reader, userAuthenticationRequest);
  const [user, service, method] = [text(reader), text(reader), text(reader)];
  if (service !== 'ssh-connection') throw new RangeError('another service');
  if (method !== methods.plain && method !== methods.hostbound) throw new RangeError('another method');
  expectByte(reader, 1);
  checkAlgorithm(text(reader), algorithm, blob);
  if (!reader.string().equals(blob))
    throw refused('the login is for another key than the signature', onlyThese);
  const hostKey = method === methods.hostbound ? reader.string() : undefined;
  if (hostKey?.length === 0 || reader.rest.length > 0) throw new RangeError('not only a login');
  return { purpose: 'authentication', algorithm, sessionId, user, hostKey };
}

/** A certificate is used under its own name, but the signature has the plain name (PROTOCOL.certkeys). */
function checkAlgorithm(named: string, algorithm: SignatureAlgorithm, blob: Buffer): void {
  const isCertificate = new WireReader(blob).string().toString('latin1').endsWith(certificateSuffix);
  const wanted = isCertificate ? `${algorithm}${certificateSuffix}` : algorithm;
  if (named === wanted) return;
  throw refused(
    `the login names the algorithm "${shortened(named)}", but the signature would be ${wanted}`,
    'use a client that knows rsa-sha2-256 and rsa-sha2-512',
  );
}

function expectByte(reader: WireReader, value: number): void {
  if (reader.byte() !== value) throw new RangeError('another message');
}

function text(reader: WireReader): string {
  const bytes = reader.string();
  // OpenSSH refuses a NUL in these fields (sshbuf_get_cstring).
  if (bytes.includes(0)) throw new RangeError('a NUL in a text');
  return bytes.toString();
}

/** Others choose these texts. They are shown in messages. */
function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

export function refused(reason: string, hint: string): Failure {
  return new Failure('SIGNATURE_REFUSED', reason, { hint });
}
