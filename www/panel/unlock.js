// Browsers keep a page silent until somebody has touched it. iOS wants both: a buffer through an
// AudioContext and a sound in the very element that plays later, inside the gesture.

// 50 ms of silence: the header of an 8 kHz, 8 bit WAV, then 400 times 0x80.
const SILENCE = `data:audio/wav;base64,UklGRrQBAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YZABAACA${"gICA".repeat(133)}`;

let context = null;

function playSilentBuffer() {
  const Context = window.AudioContext ?? window.webkitAudioContext;
  if (!Context) return;
  context ??= new Context();
  context.resume?.().catch?.(() => {});
  const source = context.createBufferSource();
  source.buffer = context.createBuffer(1, 1, 22050);
  source.connect(context.destination);
  source.start(0);
}

// True when the element may play from now on. Must be called before any await of a gesture.
export async function unlockAudio(audio, { byGesture }) {
  try {
    if (byGesture) playSilentBuffer();
  } catch {
    // the element decides
  }
  audio.src = SILENCE;
  try {
    await audio.play();
    return true;
  } catch (error) {
    return error.name !== "NotAllowedError";
  }
}
