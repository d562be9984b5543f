/** How GitHub Apps sign whose key is in KMS. The AWS SDK is loaded when the first one signs. */
import type { SignInKms } from '../github/app.ts';
import type { Host } from './caller.ts';
import type { FrontWanted } from './front-order.ts';
import type { ReadOptions } from './call-aws.ts';

/** In a session of its own: the one that read the App may not sign. */
export function jobAppSigner(wanted: FrontWanted, options: ReadOptions): SignInKms {
  return async (signed) => {
    const { signForAppInJob } = await import('./app-access.ts');
    return await signForAppInJob(signed, wanted, options);
  };
}

export function hostAppSigner(host: Host, options: Omit<ReadOptions, 'missing'>): SignInKms {
  return async (signed) => {
    const { signForAppOnHost } = await import('./app-access.ts');
    return await signForAppOnHost(signed, host, options);
  };
}
