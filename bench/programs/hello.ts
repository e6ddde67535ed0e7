/** The least that a program can do; every other process is measured against it. */
console.log('hello')
