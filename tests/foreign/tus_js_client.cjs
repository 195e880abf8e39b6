// Uploads a file with tus-js-client, in two lives: the second one knows only the upload's address.
const fs = require("fs");
const tus = require("tus-js-client");

const [endpoint, token, path] = process.argv.slice(2);
const size = fs.statSync(path).size;

function upload(options) {
  return new Promise((resolve, reject) => {
    const task = new tus.Upload(fs.createReadStream(path), {
      endpoint,
      uploadSize: size,
      chunkSize: 1 << 20,
      retryDelays: null,
      metadata: { filename: "执照.pdf" },
      headers: { Authorization: "Bearer " + token },
      onError: reject,
      onSuccess: () => resolve(task.url),
      onChunkComplete: (_, accepted) => {
        if (options.stopAt && accepted >= options.stopAt) {
          task.abort(false).then(() => resolve(task.url), reject);
        }
      },
      uploadUrl: options.url,
    });
    task.start();
  });
}

upload({ stopAt: 4 << 20 })
  .then((url) => upload({ url }))
  .then((url) => console.log(url))
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });
