/** The sessions of the local AWS: connected agents, open sessions, and the clients' violations. */
import { randomBytes } from 'node:crypto';

import type { Principal } from '../iam/iam.ts';
import { lastSegment, requireArn } from '../arn.ts';
import type { AgentOptions } from './agent.ts';
import type { SessionFaults } from './faults.ts';
import { Session } from './session.ts';

export interface AgentInput extends AgentOptions {
  readonly account: string;
  readonly region: string;
  /** `i-…`, `mi-…` */
  readonly instanceId: string;
  /** The address of the instance's ports. Default: 127.0.0.1. */
  readonly host?: string;
  /** A port of the instance → a port of `host`. All others are refused. */
  readonly ports: Readonly<Record<number, number>>;
  /** For its sessions, instead of the common faults. */
  readonly faults?: SessionFaults;
  /** What DescribeInstanceInformation says. Default: Amazon Linux, online, with a new agent. */
  readonly information?: {
    readonly ping?: 'Online' | 'ConnectionLost';
    readonly version?: string;
    readonly platform?: string;
  };
  /** For conditions on `ssm:resourceTag/NAME`. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface OpenSession {
  readonly id: string;
  readonly target: string;
  readonly account: string;
  readonly region: string;
  readonly since: Date;
  /** Whether a client's socket is open. */
  readonly connected: boolean;
  /** Number of the client's pings so far. */
  readonly pings: number;
  /** Number of the client's sockets so far. */
  readonly sockets: number;
}

export interface EndedSession {
  readonly id: string;
  readonly target: string;
  /** The output in the client's `channel_closed`. */
  readonly output: string;
  readonly sockets: number;
}

export interface SessionViolation {
  readonly sessionId: string;
  readonly what: string;
}

/** The interface for tests. */
export interface SessionManager {
  /** Allows sessions on an instance; when called again, changes its options. */
  readonly connectAgent: (input: AgentInput) => void;
  /** The target is not connected any more; its sessions continue. */
  readonly disconnectAgent: (instanceId: string) => void;
  readonly open: readonly OpenSession[];
  readonly ended: readonly EndedSession[];
  /** The clients' violations of the protocol. A test of a client has to check that it is empty. */
  readonly violations: readonly SessionViolation[];
  /** Read for every frame, so a change affects the next frame. */
  faults: SessionFaults;
  /** Cuts all sockets of clients (1006). */
  readonly cut: () => void;
  /** Removes ended sessions and violations. */
  readonly forget: () => void;
  /** Ends every session. */
  readonly stop: () => void;
}

export class Sessions implements SessionManager {
  faults: SessionFaults = {};
  /** `ws://127.0.0.1:PORT`, when it is known. */
  origin = '';
  readonly #agents = new Map<string, AgentInput>();
  readonly #sessions = new Map<string, Session>();
  #violations: SessionViolation[] = [];
  #started = 0;

  readonly connectAgent = (input: AgentInput): void => {
    this.#agents.set(input.instanceId, input);
  };

  readonly disconnectAgent = (instanceId: string): void => {
    this.#agents.delete(instanceId);
  };

  get open(): readonly OpenSession[] {
    return [...this.#sessions.values()]
      .filter(({ output }) => output === undefined)
      .map(({ id, details: { target, account, region }, since, connected, pings, sockets }) => ({
        ...{ id, target, account, region, since, connected, pings, sockets },
      }));
  }

  get ended(): readonly EndedSession[] {
    return [...this.#sessions.values()].flatMap(({ id, details: { target }, output, sockets }) =>
      output === undefined ? [] : [{ id, target, output, sockets }],
    );
  }

  get violations(): readonly SessionViolation[] {
    return this.#violations;
  }

  readonly cut = (): void => {
    for (const session of this.#sessions.values()) session.disconnect();
  };

  readonly forget = (): void => {
    this.#violations = [];
    for (const { id, output } of this.#sessions.values()) if (output !== undefined) this.#sessions.delete(id);
  };

  readonly stop = (): void => {
    for (const session of this.#sessions.values()) {
      session.terminate('');
      session.disconnect();
    }
  };

  findAgent(instanceId: string, place: { account: string; region: string }): AgentInput | undefined {
    const agent = this.#agents.get(instanceId);
    return agent?.account === place.account && agent.region === place.region ? agent : undefined;
  }

  start(agent: AgentInput, principal: Principal, portNumber: string): Session {
    const { arn, sessionName, userId } = principal;
    const name = sessionName ?? lastSegment(requireArn(arn));
    const id = `${name}-${randomBytes(9).toString('hex').slice(1)}`;
    const port = agent.ports[Number(portNumber)];
    const session = new Session({
      ...{ id, target: agent.instanceId, account: agent.account, region: agent.region, owner: userId },
      ...{ portNumber, agent, ordinal: this.#started++ },
      address: port === undefined ? undefined : { host: agent.host ?? '127.0.0.1', port },
      faults: () => agent.faults ?? this.faults,
      violation: (what) => this.#violations.push({ sessionId: id, what }),
    });
    this.#sessions.set(id, session);
    return session;
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }
}
