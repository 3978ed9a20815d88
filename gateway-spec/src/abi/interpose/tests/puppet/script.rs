//! What the puppet's tables look up, and the hand that the application's side plays with.

use std::cell::RefCell;

use crate::abi::types::*;

pub(super) type OnRespond = Box<dyn FnMut(&mut GwResponse) -> i32>;
pub(super) type OnPoll = Box<dyn FnMut(AppSide) -> i32>;
pub(super) type OnFrame = Box<dyn FnMut(&mut GwFrame) -> i32>;

/// What the functions of the tables below look up: they have no other way to a test.
#[derive(Default)]
pub(super) struct Script {
    pub(super) on_call: Option<OnPoll>,
    pub(super) on_poll: Option<OnPoll>,
    pub(super) on_respond: Option<OnRespond>,
    pub(super) on_frame: Option<OnFrame>,
    pub(super) startup_answer: i32,
    pub(super) create_stores: Option<*const GwApp>,
    pub(super) extension_found: bool,
    pub(super) accepts_everything: bool,
    pub(super) keeps_exchanges: bool,
    pub(super) responded: u32,
    pub(super) body: Option<*mut GwBody>,
    pub(super) ctx: Option<*mut GwCtx>,
    pub(super) waker: Option<*const GwWaker>,
    pub(super) call: Option<*mut GwCall>,
    pub(super) host: Option<*const GwHost>,
}

thread_local! {
    pub(super) static SCRIPT: RefCell<Script> = RefCell::default();
}

pub(super) fn script<T>(with: impl FnOnce(&mut Script) -> T) -> T {
    SCRIPT.with(|script| with(&mut script.borrow_mut()))
}

/// The application's side, inside a call.
#[derive(Clone, Copy)]
pub(in crate::abi::interpose::tests) struct AppSide;

impl AppSide {
    pub(super) fn ctx() -> (*mut GwCtx, &'static GwCtxVt) {
        let ctx = script(|it| it.ctx).expect("after the first call");
        // SAFETY: the interposer's exchange.
        (ctx, unsafe { &*(*ctx).vt })
    }

    pub(in crate::abi::interpose::tests) fn give_back(self) {
        let (ctx, table) = Self::ctx();
        // SAFETY: the interposer survives one too many.
        unsafe { table.drop.unwrap()(ctx) };
    }
}

pub(super) fn bytes(text: &'static str) -> &'static [u8] {
    text.as_bytes()
}
