/** What main and post can tell the runner. */
import type { Failure } from '../errors.ts';

export interface Workflow {
  info(line: string): void;
  /** Shown with debug logging (ACTIONS_STEP_DEBUG). */
  readonly debug?: (line: string) => void;
  warn(message: string): void;
  fail(failure: Failure): void;
  /** From now on the log shows `***` instead. */
  mask(...secrets: readonly string[]): void;
  /** For the steps that follow. */
  exportVariable(name: string, value: string): void;
  addPath(folder: string): void;
  setOutput(name: string, value: string): void;
  /** Markdown, for the page of the run. */
  summarize(markdown: string): Promise<void>;
  /** For the post step of this use. */
  saveState(name: string, value: string): void;
}
