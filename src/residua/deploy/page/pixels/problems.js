// What is wrong with a picture.

// An error that says itself what is wrong, by the name of a text.
class PictureError extends Error {
  constructor(reason, values = {}) {
    super(reason);
    Object.assign(this, { reason, values });
  }
}
