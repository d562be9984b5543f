/** One session: the client's sockets, the agent, and the service between them. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

import { Agent, type AgentOptions } from './agent.ts';
import { ClientFrames } from './client-frames.ts';
import { ClientSocket } from './client-socket.ts';
import { FaultyLink, type SessionFaults } from './faults.ts';
import { encodeFrame, Violation } from './frame.ts';

export interface SessionInput {
  readonly id: string;
  /** `i-…`, `mi-…` */
  readonly target: string;
  readonly account: string;
  readonly region: string;
  /** `aws:userid` of the user who started it. */
  readonly owner: string;
  readonly portNumber: string;
  readonly address: { readonly host: string; readonly port: number } | undefined;
  readonly agent: AgentOptions;
  /** The session's index, from 0. */
  readonly ordinal: number;
  readonly faults: () => SessionFaults;
  readonly violation: (what: string) => void;
}

/** Lifetime of a token in milliseconds; it opens a channel once. */
const tokenLifetime = 60_000;
/** Milliseconds between channel_closed and the close of the socket. */
const farewell = 200;

export class Session {
  readonly #input: SessionInput;
  readonly #toAgent: FaultyLink;
  readonly #toClient: FaultyLink;
  readonly #tokens = new Map<string, { readonly until: number; used: boolean }>();
  readonly #frames: ClientFrames;
  readonly since = new Date();
  #cell = 0;
  #client: ClientSocket | undefined;
  #agent: Agent | undefined;
  #pausing: NodeJS.Timeout | undefined;
  #paused = false;
  /** The agent's port accepts no more data for now. */
  #held = false;
  #output: string | undefined;
  #pings = 0;
  #sockets = 0;

  constructor(input: SessionInput) {
    this.#input = input;
    this.#toAgent = new FaultyLink(input.faults, 'toAgent', input.ordinal);
    this.#toClient = new FaultyLink(input.faults, 'toClient', input.ordinal);
    this.#frames = new ClientFrames({
      ready: () => this.#agent?.ready === true,
      resumed: () => this.#sockets > 1,
      messageId: (sequence) => this.#agent?.messageId(sequence),
      report: input.violation,
    });
  }

  get id(): string {
    return this.#input.id;
  }

  get details(): SessionInput {
    return this.#input;
  }

  /** The client's message at the end; undefined while the session is open. */
  get output(): string | undefined {
    return this.#output;
  }

  /** Whether a client's socket is open. */
  get connected(): boolean {
    return this.#client?.isOpen === true;
  }

  /** Number of the client's pings, on all its sockets. */
  get pings(): number {
    return this.#pings;
  }

  /** Number of sockets that were opened with a token. */
  get sockets(): number {
    return this.#sockets;
  }

  /** A new token, and the service's cell for it. */
  issueToken(): { readonly token: string; readonly cell: string } {
    const token = randomBytes(300).toString('base64');
    this.#tokens.set(token, { until: Date.now() + tokenLifetime, used: false });
    this.#cell += 1;
    return { token, cell: this.cell };
  }

  /** `cell-number` of the latest StreamUrl. */
  get cell(): string {
    return `AAEAA${String(this.#cell).padStart(4, '0')}`;
  }

  attach(socket: WebSocket, transport: Pick<Socket, 'resetAndDestroy'>): void {
    const client: ClientSocket = new ClientSocket(socket, {
      transport,
      faults: this.#input.faults,
      admit: (token) => this.#admit(token),
      opened: () => {
        this.#opened(client);
      },
      frame: (data, isBinary) => {
        this.#fromClient(data, isBinary);
      },
      ping: () => (this.#pings += 1),
      violation: this.#input.violation,
      gone: () => {
        if (this.#client === client) this.#absent();
      },
    });
  }

  /** For TerminateSession, or the end of the local AWS. */
  terminate(output: string): void {
    if (this.#output !== undefined) return;
    this.#agent?.cancel();
    this.#over(output);
  }

  disconnect(): void {
    this.#client?.close(1006);
  }

  #admit(token: string): boolean {
    const known = this.#tokens.get(token);
    if (known === undefined || known.used || known.until < Date.now()) return false;
    known.used = true;
    return this.#output === undefined;
  }

  #opened(client: ClientSocket): void {
    const before = this.#client;
    this.#client = client;
    this.#sockets += 1;
    before?.close(1006);
    if (this.#held) client.hold();
    if (this.#agent) this.#agent.publish(!this.#paused);
    else this.#startAgent();
    const { pause } = this.#input.faults();
    if (pause && !this.#pausing) this.#pauseEvery(pause);
  }

  /** Tells the agent that no client is connected; its acknowledgements are lost meanwhile. */
  #absent(): void {
    this.#client = undefined;
    this.#agent?.publish(false);
  }

  #startAgent(): void {
    const { portNumber, address, agent: options } = this.#input;
    this.#agent = new Agent({
      ...{ options, portNumber, address },
      send: (kind, bytes, gone) => {
        const client = this.#client;
        if (client === undefined) gone();
        else
          this.#toClient.pass(
            kind,
            () => {
              client.send(bytes, gone);
            },
            gone,
          );
      },
      hold: () => {
        this.#held = true;
        this.#client?.hold();
      },
      drained: () => {
        this.#held = false;
        this.#client?.drained();
      },
      ended: (output) => {
        this.#over(output);
      },
    });
  }

  #fromClient(data: Buffer, isBinary: boolean): void {
    const agent = this.#agent;
    if (agent === undefined || this.#output !== undefined) return;
    try {
      const frame = this.#frames.read(data, isBinary);
      const kind = frame.messageType === 'acknowledge' ? 'acknowledgement' : 'data';
      if (this.#paused && kind === 'data') return;
      this.#toAgent.pass(kind, () => {
        agent.receive(frame);
      });
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#input.violation(error.message);
    }
  }

  /** One timer after the other: if this process is late, messages still arrive between two pauses. */
  #pauseEvery({ every, for: pause }: NonNullable<SessionFaults['pause']>): void {
    const next = (): void => {
      this.#setPaused(!this.#paused);
      this.#pausing = setTimeout(next, this.#paused ? pause : every).unref();
    };
    this.#pausing = setTimeout(next, every).unref();
  }

  #setPaused(paused: boolean): void {
    if (this.#output !== undefined) return;
    this.#paused = paused;
    this.#agent?.publish(!paused && this.connected);
    this.#tellClient(paused ? 'pause_publication' : 'start_publication', {});
  }

  #over(output: string): void {
    if (this.#output !== undefined) return;
    this.#output = output;
    clearTimeout(this.#pausing);
    this.#tellClient('channel_closed', {
      MessageId: randomUUID(),
      CreatedDate: new Date().toISOString(),
      DestinationId: this.#input.target,
      SessionId: this.id,
      MessageType: 'channel_closed',
      SchemaVersion: 1,
      Output: output,
    });
    const client = this.#client;
    setTimeout(() => client?.close(1000), farewell).unref();
  }

  #tellClient(messageType: string, content: object): void {
    const frame = { messageType, createdAt: Date.now(), sequence: 0, flags: 3, messageId: randomUUID() };
    const payload = Buffer.from(JSON.stringify(content));
    this.#client?.send(encodeFrame({ ...frame, payloadType: 0, payload }));
  }
}
