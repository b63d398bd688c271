export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  timeout: '3m',
  workerThreads: false,
};
