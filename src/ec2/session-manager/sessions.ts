/** Session Manager's API calls: start, resume and terminate a session. */
import {
  ResumeSessionCommand,
  SSMClient,
  StartSessionCommand,
  TerminateSessionCommand,
} from '@aws-sdk/client-ssm';
import { notFromAws } from '../../aws/failures.ts';
import { renewing } from '../../aws/renewing.ts';
import type { Ec2Caller } from '../caller.ts';
import { signHeaders } from '../signature.ts';
import { sessionFailure, sshDocument, type Target } from './session-failures.ts';

/** What opening a socket needs. */
export interface Access {
  readonly url: URL;
  /** Secret. */
  readonly token: string;
}

export interface StartedSession extends Access {
  readonly id: string;
}

export class Sessions {
  readonly #caller: Ec2Caller;
  readonly #target: Target;
  #client: SSMClient;

  constructor(target: Target, caller: Ec2Caller) {
    this.#target = target;
    this.#caller = caller;
    this.#client = clientOf(caller);
  }

  /** @throws SESSION_FAILED, and the errors of any AWS call (src/aws/failures.ts) */
  async start(signal: AbortSignal): Promise<StartedSession> {
    const { instanceId, port } = this.#target;
    const command = new StartSessionCommand({
      Target: instanceId,
      DocumentName: sshDocument,
      Parameters: { portNumber: [String(port)] },
    });
    try {
      const { SessionId: id, ...access } = await this.#renewing((client) =>
        client.send(command, { abortSignal: signal }),
      );
      return { id: id || this.#foreign(), ...this.#accessIn(access) };
    } catch (error) {
      signal.throwIfAborted();
      throw sessionFailure(error, 'ssm:StartSession', this.#target);
    }
  }

  /** @returns undefined if the session is over */
  async resume(id: string, signal: AbortSignal): Promise<Access | undefined> {
    const command = new ResumeSessionCommand({ SessionId: id });
    try {
      const access = await this.#renewing((client) => client.send(command, { abortSignal: signal }));
      return access.TokenValue ? this.#accessIn(access) : undefined;
    } catch (error) {
      signal.throwIfAborted();
      throw sessionFailure(error, 'ssm:ResumeSession', this.#target);
    }
  }

  /** Ignores errors: Session Manager's own limits end a session that is not terminated. */
  async terminate(id: string, signal: AbortSignal): Promise<void> {
    const command = new TerminateSessionCommand({ SessionId: id });
    await this.#client.send(command, { abortSignal: signal }).catch(() => undefined);
  }

  /** The headers for opening the socket; empty if the URL is presigned. */
  async sign(url: URL): Promise<Record<string, string>> {
    const { region } = this.#target;
    for (const name of url.searchParams.keys()) if (/^x-amz-/i.test(name)) return {};
    const credentials = await this.#client.config.credentials();
    const date = new Date(Date.now() + this.#client.config.systemClockOffset);
    return await signHeaders(url, { service: 'ssmmessages', region, credentials, date });
  }

  async #renewing<T>(call: (client: SSMClient) => Promise<T>): Promise<T> {
    const { forget } = this.#caller;
    const renew = (): void => {
      forget?.();
      // A client keeps its credentials.
      this.#client = clientOf(this.#caller);
    };
    return await renewing({ forget: forget && renew }, () => call(this.#client));
  }

  #accessIn({
    StreamUrl,
    TokenValue,
  }: {
    StreamUrl?: string | undefined;
    TokenValue?: string | undefined;
  }): Access {
    if (!StreamUrl || !URL.canParse(StreamUrl) || !TokenValue) return this.#foreign();
    return { url: new URL(StreamUrl), token: TokenValue };
  }

  #foreign(): never {
    const { instanceId, region } = this.#target;
    throw notFromAws({ service: 'ssm', region, resource: instanceId });
  }
}

function clientOf({ region, connection, credentials }: Ec2Caller): SSMClient {
  return new SSMClient({ region, ...connection, ...(credentials && { credentials }) });
}
