/** Reads the routes file of a job or of exec, which renderRoutes writes. Pure. */
import type { Route } from './routes.ts';

/** Reads the text of renderRoutes. The key of a route is its number; a key with several patterns has several routes. */
export function readRouteLines(
  routes: string,
): readonly (Route<number> & { readonly fingerprint: string })[] {
  return [...routes.matchAll(/^(\d+) (\S+) (\S+)(?: (\d+) (.*))?$/gm)].map(
    ([, number, fingerprint = '', host = '', port, path = '']) => ({
      key: Number(number),
      fingerprint,
      repositories: host === '-' ? [] : [{ host, port: Number(port), path }],
    }),
  );
}
