"""Questions and answers: tickets, their messages and files, by web and by mail."""
