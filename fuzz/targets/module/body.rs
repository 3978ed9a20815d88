//! Bodies of responses, good and bad.

use std::cell::OnceCell;
use std::fs::File;
use std::os::fd::IntoRawFd;
use std::ptr;

use gateway_spec::abi::types::*;

use super::create::{Constant, table_size};
use super::deeds::table_of;
use super::play::{Thing, choice, complain, hand_over, number, take_back};
use super::response::{Lines, buffer};

#[repr(C)]
struct Made {
    abi: GwBody,
    ended: bool,
    frames: u32,
    /// What was lent with the last frame.
    lines: Option<Lines>,
}

/// None, one that has frames, or one that nobody can poll.
pub(super) fn made_up() -> *mut GwBody {
    match choice(8) {
        0..=3 => ptr::null_mut(),
        4 => (&raw const NO_TABLE.0).cast_mut(),
        5 => (&raw const SHORT.0).cast_mut(),
        kind => {
            hand_over(Thing::Body);
            let vt = match kind {
                6 => &raw const WITHOUT_POLL,
                _ => &raw const WHOLE,
            };
            let made = Made {
                abi: GwBody { vt },
                ended: false,
                frames: 0,
                lines: None,
            };
            Box::into_raw(Box::new(made)).cast()
        }
    }
}

/// Ends one that nobody took.
pub(super) fn discard(body: *mut GwBody) {
    let kept = [ptr::null(), &raw const NO_TABLE.0, &raw const SHORT.0];
    if !kept.contains(&body.cast_const()) {
        // SAFETY: one of `made_up`'s, the module's own again.
        unsafe { end(body) };
    }
}

unsafe extern "C" fn poll_frame(
    body: *mut GwBody,
    waker: *const GwWaker,
    frame: *mut GwFrame,
) -> i32 {
    // SAFETY: one of `made_up`'s, which the host has not ended.
    let made = unsafe { &mut *body.cast::<Made>() };
    if made.ended {
        complain("a body was polled behind its end (BODY-09)");
    }
    // SAFETY: the host's frame.
    let frame = unsafe { &mut *frame };
    made.frames += 1;
    #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
    let answer = match choice(8) {
        _ if made.frames > 50 => code::IO,
        0 => {
            // SAFETY: the host lends the waker.
            unsafe { (table_of(waker).wake_by_ref)(waker) };
            code::PENDING
        }
        1 => code::PENDING,
        2 => number() as i32,
        _ => code::READY,
    };
    if answer == code::READY {
        made.fill(frame);
        made.ended = frame.kind == frame_kind::END || frame.flags & frame_flag::LAST != 0;
    } else {
        made.ended = answer != code::PENDING;
    }
    answer
}

impl Made {
    fn fill(&mut self, frame: &mut GwFrame) {
        match choice(8) {
            0 | 1 => frame.kind = frame_kind::END,
            2 | 3 => {
                frame.kind = frame_kind::DATA;
                frame.data = buffer();
            }
            4 => {
                frame.kind = frame_kind::FILE;
                frame.fd = descriptor();
                (frame.offset, frame.length) = (number(), number());
            }
            5 => {
                frame.kind = frame_kind::TRAILERS;
                let lines = self.lines.insert(Lines::made_up());
                (frame.trailers, frame.n_trailers) = lines.lent();
            }
            #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
            6 => {
                // Never one that has something to take.
                frame.kind = 4 | number() as u32;
                frame.struct_size = number() as u32;
            }
            _ => {
                frame.kind = frame_kind::FILE;
                frame.fd = -1;
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        if choice(4) == 0 {
            frame.flags = number() as u32;
        }
    }
}

/// Of a file, or of something that is none.
fn descriptor() -> i32 {
    thread_local! {
        static FILES: OnceCell<[File; 3]> = const { OnceCell::new() };
    }
    FILES.with(|files| {
        let open = |path: &str| File::open(path).expect("it is on every machine");
        let files = files.get_or_init(|| ["/etc/passwd", "/", "/dev/null"].map(open));
        let file = files[usize::from(choice(3))].try_clone();
        file.map_or(-1, IntoRawFd::into_raw_fd)
    })
}

unsafe extern "C" fn end(body: *mut GwBody) {
    take_back(Thing::Body);
    // SAFETY: boxed by `made_up`, ended once.
    drop(unsafe { Box::from_raw(body.cast::<Made>()) });
}

unsafe extern "C" fn never(_: *mut GwBody) {
    complain("a body that was never one was ended");
}

const TABLE: GwBodyVt = GwBodyVt {
    struct_size: table_size::<GwBodyVt>(),
    reserved: 0,
    poll_frame: Some(poll_frame),
    drop: Some(end),
};
static WHOLE: GwBodyVt = TABLE;
static WITHOUT_POLL: GwBodyVt = GwBodyVt {
    poll_frame: None,
    ..TABLE
};
static CUT: GwBodyVt = GwBodyVt {
    struct_size: 8,
    drop: Some(never),
    ..TABLE
};
static NO_TABLE: Constant<GwBody> = Constant(GwBody { vt: ptr::null() });
static SHORT: Constant<GwBody> = Constant(GwBody { vt: &raw const CUT });
