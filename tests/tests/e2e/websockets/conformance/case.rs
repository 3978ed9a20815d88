//! A case: what a client sends, and what a server that echoes answers.

use gateway_tests::websocket::{Frame, Sent, opcode};

/// One conversation, in steps.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) steps: Vec<Step>,
    /// Whether a proxy passes on what the client does; none passes on that a client ends its half.
    pub(super) passes: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Send(Vec<u8>),
    Expect(Expected),
    /// The client ends its half of the connection.
    Finish,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    /// A goodbye, with its code if it has one; the connection ends behind it.
    Close(Option<u16>),
    /// The connection ends without a goodbye.
    End,
}

impl Case {
    /// All of `sent`, then all of `expected`.
    pub(super) fn new(
        name: impl Into<String>,
        sent: &[Sent],
        expected: impl IntoIterator<Item = Expected>,
    ) -> Self {
        let sent = Step::Send(sent.iter().flat_map(Sent::bytes).collect());
        let expected = expected.into_iter().map(Step::Expect);
        Self {
            name: name.into(),
            steps: [sent].into_iter().chain(expected).collect(),
            passes: true,
        }
    }

    /// What is sent is refused with this code.
    pub(super) fn refused(name: impl Into<String>, sent: &[Sent], code: u16) -> Self {
        Self::new(name, sent, [Expected::Close(Some(code))])
    }

    /// Then sends more and expects more.
    pub(super) fn then(self, sent: &[Sent], expected: impl IntoIterator<Item = Expected>) -> Self {
        let next = Self::new("", sent, expected);
        Self {
            steps: [self.steps, next.steps].concat(),
            ..self
        }
    }

    /// The client ends its half before what was expected last.
    pub(super) fn finishing(mut self) -> Self {
        let expected = self
            .steps
            .iter()
            .rposition(|step| matches!(step, Step::Send(_)));
        let behind = expected.map_or(0, |at| at + 1);
        self.steps.insert(behind, Step::Finish);
        self.passes = false;
        self
    }

    /// Whether the conversation is over at its end.
    pub(super) fn is_over(&self) -> bool {
        let last = self.steps.last();
        matches!(last, Some(Step::Expect(Expected::Close(_) | Expected::End)))
    }
}

impl Expected {
    /// What a message that was sent in a frame of this kind comes back as.
    pub(super) fn echo(kind: u8, payload: impl Into<Vec<u8>>) -> Self {
        match kind {
            opcode::TEXT => Self::Text(payload.into()),
            _ => Self::Binary(payload.into()),
        }
    }

    /// Reads what came.
    pub(super) fn of(frame: Option<Frame>) -> Result<Self, String> {
        let Some(frame) = frame else {
            return Ok(Self::End);
        };
        let code = frame.code();
        match frame {
            Frame { fin: false, .. } => Err("a message in parts".to_owned()),
            Frame {
                opcode: opcode::TEXT,
                payload,
                ..
            } => Ok(Self::Text(payload)),
            Frame {
                opcode: opcode::BINARY,
                payload,
                ..
            } => Ok(Self::Binary(payload)),
            Frame {
                opcode: opcode::PONG,
                payload,
                ..
            } => Ok(Self::Pong(payload)),
            Frame {
                opcode: opcode::CLOSE,
                ..
            } => Ok(Self::Close(code)),
            other => Err(format!("a frame of kind {}", other.opcode)),
        }
    }
}
