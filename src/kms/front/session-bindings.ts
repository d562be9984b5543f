/**
 * The SSH sessions that a connection to the agent is bound to, by the rules of OpenSSH's agent. Pure.
 *
 * @source openssh-portable: PROTOCOL.agent §1, process_ext_session_bind in ssh-agent.c
 */
import { verifiedAlgorithm } from '../../keys/signature-check.ts';
import type { BindRequest } from '../../ssh/agent-requests.ts';
import { isCertificate, readHostCertificate } from '../../ssh/host-certificate.ts';

/** AGENT_MAX_SESSION_IDS and AGENT_MAX_SID_LEN in ssh-agent.c. */
const limits = { sessions: 16, sessionId: 128 } as const;

export type Binding = Pick<BindRequest, 'hostKey' | 'sessionId' | 'isForwarding'>;

export class SessionBindings {
  readonly #bindings: Binding[] = [];
  #wasAttempted = false;

  /** The session that is bound last; its host asks for the signature. */
  get last(): Binding | undefined {
    return this.#bindings.at(-1);
  }

  /** Whether clients on another machine use the connection. */
  get isForwarded(): boolean {
    return this.#bindings.some(({ isForwarding }) => isForwarding);
  }

  /** Whether a client tried to bind a session, and none is bound. */
  get hasOnlyFailed(): boolean {
    return this.#wasAttempted && this.#bindings.length === 0;
  }

  /** @returns the reason why the session is not bound; undefined if it is */
  bind(request: BindRequest): string | undefined {
    this.#wasAttempted = true;
    const { hostKey, sessionId, isForwarding } = request;
    if (sessionId.length > limits.sessionId) return 'the session id is too long';
    if (!isSignedByHost(request)) return 'the session is not signed by its host key';
    for (const bound of this.#bindings) {
      if (!bound.isForwarding) return 'the connection is bound to a login already';
      if (!bound.sessionId.equals(sessionId)) continue;
      // ssh repeats a binding for each channel that it forwards.
      return bound.hostKey.equals(hostKey) ? undefined : 'the session is bound to another host key';
    }
    if (this.#bindings.length >= limits.sessions) return 'the connection is bound to too many sessions';
    // Copies: the request is a part of a larger buffer.
    const [key, id] = [Buffer.from(hostKey), Buffer.from(sessionId)];
    this.#bindings.push({ hostKey: key, sessionId: id, isForwarding });
    return undefined;
  }
}

function isSignedByHost({ hostKey, sessionId, signature }: BindRequest): boolean {
  const plain = isCertificate(hostKey) ? readHostCertificate(hostKey)?.certified : hostKey;
  if (!plain) return false;
  return verifiedAlgorithm(plain, { data: sessionId, signature }) !== undefined;
}
