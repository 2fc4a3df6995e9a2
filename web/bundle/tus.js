// Resumable uploads: the tus 1.0 client.
export { Upload, isSupported } from "tus-js-client";
