/** The option --cache of commands that may read keys through a cache. Pure. */

export const cacheOption = {
  cache: {
    type: 'string',
    value: 'URL',
    help: 'read from the Secrets Manager Agent or the Lambda extension on this machine: http://localhost:2773',
  },
} as const;
