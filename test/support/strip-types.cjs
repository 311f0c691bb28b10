// Jest transform: erases types exactly as Node itself does, so lines and columns stay right.
const { stripTypeScriptTypes } = require('node:module');

exports.process = (source) => ({ code: stripTypeScriptTypes(source) });
