/** The first import of a NAME.rest.test.ts: parts.ts, which is loaded after it, looks for the flag. */
import { restFlag } from './rest-flag.ts';

Object.assign(globalThis, { [restFlag]: true });
