// SPDX-License-Identifier: Apache-2.0
// npm run bench [-- NAME…]: runs the measurements of this folder.

console.log('There are no measurements yet; see bench/README.md.');
