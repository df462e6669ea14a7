<?php

declare(strict_types=1);

namespace Fernhill\OrderNotes\Model;

use Fernhill\OrderNotes\Model\ResourceModel\Note as NoteResource;
use Magento\Framework\Exception\LocalizedException;
use Magento\Framework\Model\AbstractModel;

/**
 * One note that a member of staff left on an order. Plain text; never shown to the customer.
 */
class Note extends AbstractModel
{
    public const MAX_LENGTH = 2000;

    /** @var string */
    protected $_eventPrefix = 'fernhill_order_note';

    /**
     * Write a note that is not stored yet.
     *
     * @throws LocalizedException if the text is empty or longer than MAX_LENGTH characters
     */
    public function write(int $orderId, int $authorId, string $authorName, string $body): self
    {
        $body = trim($body);
        if ($body === '') {
            throw new LocalizedException(__('Please write something before saving the note.'));
        }
        if (mb_strlen($body) > self::MAX_LENGTH) {
            throw new LocalizedException(__('A note can have at most %1 characters.', self::MAX_LENGTH));
        }
        return $this->setData([
            'order_id' => $orderId,
            'author_id' => $authorId,
            'author_name' => mb_substr($authorName, 0, 80),
            'body' => $body,
        ]);
    }

    public function getOrderId(): int
    {
        return (int)$this->getData('order_id');
    }

    public function getAuthorName(): string
    {
        return (string)$this->getData('author_name');
    }

    public function getBody(): string
    {
        return (string)$this->getData('body');
    }

    /** Time of writing, UTC, as the database gives it. */
    public function getCreatedAt(): string
    {
        return (string)$this->getData('created_at');
    }

    protected function _construct(): void
    {
        $this->_init(NoteResource::class);
    }
}
