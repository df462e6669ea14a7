"""What programs ask: licences as JSON, and the Composer repository. Documented in docs/licences.md."""
