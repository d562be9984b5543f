/** The code that an input reaches, by V8's own coverage of blocks. */
import { Session, type Profiler } from 'node:inspector';

/** Our own code alone. */
const ours = /\/(?:src|helper)\/[^]*\.ts$/;

export class Coverage {
  readonly #session = new Session();
  readonly #reached = new Set<string>();

  start(): void {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  /** Blocks that were reached so far. */
  get blocks(): number {
    return this.#reached.size;
  }

  /** @param remember whether they count as reached from now on. @returns whether new blocks ran since the last call */
  look({ remember }: { readonly remember: boolean }): boolean {
    let isNew = false;
    for (const { url, scriptId, functions } of this.#take()) {
      if (!ours.test(url)) continue;
      for (const { startOffset, endOffset, count } of functions.flatMap(({ ranges }) => ranges)) {
        if (count === 0) continue;
        const block = `${scriptId}:${startOffset}:${endOffset}`;
        if (this.#reached.has(block)) continue;
        isNew = true;
        if (remember) this.#reached.add(block);
      }
    }
    return isNew;
  }

  /** Also sets all counts to zero. The answer of a session of the same thread is there at once. */
  #take(): readonly Profiler.ScriptCoverage[] {
    let taken: readonly Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, found) => {
      if (error) throw error;
      taken = found.result;
    });
    return taken;
  }
}
